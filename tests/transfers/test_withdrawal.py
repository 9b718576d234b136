"""Undoing an import takes back first the transfers it caused."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core.errors import DomainError
from cpro.core.jobs.models import Job, JobState
from cpro.core.jobs.runner import Runner
from cpro.records.models import Fiche
from cpro.students.models import Student
from cpro.transfers.errors import WithdrawalImpossible
from tests.factories import World
from tests.helpers.imports import Desk
from tests.helpers.transfers import Exchange, check_complete, check_soundness

LOU = {"NOM_DE_FAMILLE": "Topaze", "PRENOM": "Lou", "DATE_NAISS": "28/02/2009"}


@pytest.fixture
def desk(app: Flask, world: World, tmp_path: Path) -> Desk:
    """Return the place where files are imported into school "a"."""
    return Desk(app, world, tmp_path)


def work(exchange: Exchange) -> None:
    """Do every job there is."""
    Runner(exchange.app, Event()).drain()


def sound(exchange: Exchange) -> None:
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)


def arrival(exchange: Exchange, desk: Desk) -> tuple[int, int]:
    """Let a pupil of "b" leave with records and a file arrange them to "a"; return both, transferred."""
    ine = "990000011DB"
    source = exchange.enrol("b", ine)
    exchange.fill("b", source)
    exchange.depart(source)
    desk.import_files(desk.file_of({"id": "1", "ine": ine, **LOU}))
    work(exchange)
    with exchange.look() as session:
        destination = session.scalars(select(Student.id).where(Student.ine == ine, Student.id != source)).one()
    assert exchange.records(destination) == exchange.records(source) != set()
    return source, destination


def test_after_import_starts_the_transfer(exchange: Exchange, desk: Desk) -> None:
    arrival(exchange, desk)

    sound(exchange)


def test_withdraw_takes_back_what_an_undone_import_started(exchange: Exchange, desk: Desk) -> None:
    source, destination = arrival(exchange, desk)

    desk.undo()

    assert exchange.records(destination) == set()
    with exchange.look() as session:
        assert session.get(Student, destination) is None
    work(exchange)
    assert len(exchange.records(source)) == 5
    assert exchange.states("a") == exchange.states("b") == ["cancelled"]
    assert exchange.side("a").student_id is None
    sound(exchange)


def test_withdraw_lets_the_same_file_copy_again(exchange: Exchange, desk: Desk) -> None:
    source, _destination = arrival(exchange, desk)
    desk.undo()
    work(exchange)

    desk.import_files(desk.file_of({"id": "1", "ine": "990000011DB", **LOU}))
    work(exchange)

    with exchange.look() as session:
        again = session.scalars(select(Student.id).where(Student.ine == "990000011DB", Student.id != source)).one()
    assert exchange.records(again) == exchange.records(source)
    sound(exchange)


def test_before_undoing_refuses_once_what_came_was_evaluated_upon(exchange: Exchange, desk: Desk) -> None:
    _source, destination = arrival(exchange, desk)
    with exchange.look() as session:
        uid = session.scalars(select(Fiche.origin_uid).where(Fiche.student_id == destination)).first()
    exchange.add(exchange.evaluation("a", destination, fiche_uid=uid))
    before = exchange.records(destination)

    with pytest.raises(DomainError, match="ne peut plus être annulé"):
        desk.undo()

    assert exchange.records(destination) == before
    assert exchange.states("a") == ["done"]


def departure(exchange: Exchange, desk: Desk) -> int:
    """Let a file of "a" tell that a pupil left, who is in "b"; return that one, who received."""
    ine = "990000022CA"
    desk.import_files(desk.file_of({"id": "1", "ine": ine, **LOU}, {"id": "2"}, {"id": "3"}))
    with exchange.look() as session:
        source = session.scalars(select(Student.id).where(Student.ine == ine)).one()
    exchange.fill("a", source)
    destination = exchange.enrol("b", ine)
    desk.import_files(desk.file_of({"id": "2"}, {"id": "3"}), confirm=["deactivations"])
    work(exchange)
    assert exchange.records(destination) == exchange.records(source) != set()
    return destination


def test_withdraw_takes_back_there_what_a_departure_sent(exchange: Exchange, desk: Desk) -> None:
    destination = departure(exchange, desk)

    desk.undo()
    work(exchange)

    assert exchange.records(destination) == set()
    assert sorted(exchange.states("b")) == ["cancelled", "twins"]
    sound(exchange)


def test_before_undoing_refuses_once_the_other_school_evaluated(exchange: Exchange, desk: Desk) -> None:
    destination = departure(exchange, desk)
    with exchange.look() as session:
        uid = session.scalars(select(Fiche.origin_uid).where(Fiche.student_id == destination)).first()
    exchange.add(exchange.evaluation("b", destination, fiche_uid=uid))

    with pytest.raises(WithdrawalImpossible, match="l’établissement d’accueil"):
        desk.undo()

    assert exchange.states("b") == ["done"]


def test_withdraw_leaves_transfers_of_other_pupils(exchange: Exchange, desk: Desk) -> None:
    ine = exchange.ine()
    source = exchange.enrol("b", ine)
    exchange.fill("b", source)
    exchange.depart(source)
    other = exchange.enrol("a", ine, siecle_id="77")
    exchange.run()
    desk.import_files(desk.file_of({"id": "1", "ine": "990000011DB", **LOU}, {"id": "77", "ine": ine, **LOU}))

    desk.undo()
    work(exchange)

    assert exchange.records(other) == exchange.records(source)
    with exchange.look() as session:
        assert {job.state for job in session.scalars(select(Job))} == {JobState.DONE}
    sound(exchange)
