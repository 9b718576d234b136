"""What asks for a run: an import, a switch, the night, the command line, « Essayer maintenant »."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.core import clock, events
from cpro.core.jobs.housekeeping import run_housekeeping
from cpro.core.jobs.models import Job, JobState
from cpro.core.jobs.runner import Runner
from cpro.establishments.models import Establishment
from cpro.transfers.jobs import RUN_JOB, request_run
from tests.factories import TESTER
from tests.helpers.records import rows
from tests.helpers.transfers import Exchange
from tests.transfers.pages_moves import done


@pytest.fixture
def moved(exchange: Exchange) -> tuple[int, int]:
    """Return a pupil of "a" who left with records, and the same one who joined "b"."""
    ine = exchange.ine()
    source = exchange.enrol("a", ine)
    exchange.fill("a", source)
    exchange.depart(source)
    return source, exchange.enrol("b", ine)


def work(exchange: Exchange) -> None:
    """Do every job there is."""
    Runner(exchange.app, Event()).drain()


def jobs(exchange: Exchange, kind: str = RUN_JOB) -> list[Job]:
    with exchange.look() as session:
        return list(session.scalars(select(Job).where(Job.kind == kind).order_by(Job.id)))


def test_after_import_asks_for_a_run_in_its_transaction(exchange: Exchange, moved: tuple[int, int]) -> None:
    with exchange.at("b", writing=True) as session:
        events.import_applied.send(establishment_id=exchange.ids["b"], run_id=1, by=TESTER, now=clock.utcnow())
        assert session.scalars(select(Job.kind)).all() == [RUN_JOB]
    assert exchange.records(moved[1]) == set()

    work(exchange)

    assert exchange.records(moved[1]) == exchange.records(moved[0])
    (job,) = jobs(exchange)
    assert (job.state, job.establishment_id) == (JobState.DONE, exchange.ids["b"])
    assert job.result == {"pairs": 1, "transfers": 1, "records": 5, "changed": 0}


@pytest.mark.parametrize("on", [True, False])
def test_after_switch_asks_for_a_run(exchange: Exchange, moved: tuple[int, int], on: bool) -> None:
    exchange.switch("b", on=False)
    exchange.run()
    assert exchange.states("a") == ["waiting_joined"]
    exchange.switch("b" if on else "a", on=on)
    school = "b" if on else "a"

    with exchange.at(school, writing=True) as session:
        establishment = session.get_one(Establishment, exchange.ids[school])
        events.transfers_switched.send(establishment, enabled=on, by=TESTER, now=clock.utcnow())
    work(exchange)

    assert exchange.states("a") == (["done"] if on else [])


def test_request_run_twice_waits_once(exchange: Exchange) -> None:
    with exchange.at("a", writing=True):
        first = request_run(by=TESTER, now=clock.utcnow()).id
        assert request_run(by=TESTER, now=clock.utcnow()).id == first
    with exchange.at("b", writing=True):
        assert request_run(by=TESTER, now=clock.utcnow()).id != first


def test_run_for_all_each_night(exchange: Exchange, moved: tuple[int, int]) -> None:
    night = clock.utcnow().replace(hour=3, minute=30) + timedelta(days=1)
    with time_machine.travel(night, tick=True):
        with exchange.app.app_context():
            run_housekeeping()
        work(exchange)

    (job,) = jobs(exchange, "transfers:nightly")
    assert (job.state, job.establishment_id) == (JobState.DONE, None)
    assert exchange.records(moved[1]) == exchange.records(moved[0])


def test_run_command_answers_in_figures(app: Flask, exchange: Exchange, moved: tuple[int, int]) -> None:
    outcome = app.test_cli_runner().invoke(args=["transfers", "run"])

    assert outcome.exit_code == 0, outcome.output
    assert outcome.output == "1 transfert effectué, 5 données copiées, 0 autre dossier mis à jour.\n"
    assert exchange.records(moved[1]) == exchange.records(moved[0])


def test_run_names_in_each_journal_the_pupil_and_the_other_school(app: Flask, exchange: Exchange) -> None:
    done(exchange)

    lines = {row["action"]: row["object_label"] for row in rows(app, AuditEntry)}

    with exchange.look() as session:
        names = {key: session.get_one(Establishment, exchange.ids[key]).name for key in "ab"}
    assert lines["transfer:sent"] == f"TOPAZE Lou, vers {names['b']} (0999002X)"
    assert lines["transfer:received"] == f"TOPAZE Lou, depuis {names['a']} (0999001W)"


def test_run_names_in_one_line_how_many_went_to_how_many_schools(app: Flask, exchange: Exchange) -> None:
    exchange.switch("c", on=True)
    for destination in ("b", "b", "c"):
        ine = exchange.ine()
        left = exchange.enrol("a", ine)
        exchange.depart(left)
        exchange.enrol(destination, ine)

    exchange.run()

    labels = {row["object_label"] for row in rows(app, AuditEntry) if row["action"].startswith("transfer:")}
    assert "3 élèves, vers 2 établissements" in labels
    assert any(label.startswith("2 élèves, depuis ") for label in labels)
