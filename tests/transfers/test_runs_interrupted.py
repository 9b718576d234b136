"""Runs killed at random moments, and two at once: what every table says afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from bench.campaigns import size_of
from cpro.extensions import db
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.students.models import Origin, Student
from cpro.transfers.models import Transfer, TransferState
from tests.factories import NOW, World
from tests.helpers.platform import PROJECT_ROOT, as_serving, environment
from tests.helpers.transfers import Exchange, check_complete, check_soundness

#: How many runs are killed; `python -m bench.campaigns transfers-killed` kills more.
KILLS = size_of("transfers-killed")
#: Enough for the last run killed to have work left: a run does some thirty transfers before it is killed.
PUPILS = max(300, 30 * KILLS)
PATIENCE = 120  # seconds

#: A run in a process of its own that says when it begins and after each batch of 20: there is much to interrupt.
SCRIPT = """
import sys
from cpro import create_app
from cpro.core import clock
from cpro.core.commands import COMMAND_LINE
from cpro.transfers import runs

app = create_app()
runs.BATCH = 20
with app.app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    runs.run(by=COMMAND_LINE, clock=clock.utcnow, progress=lambda done, total: print(done, flush=True))
"""


@pytest.fixture
def settings(exchange: Exchange, database: str, worker_folder: Path) -> dict[str, str]:
    """Return the environment of a process on the same database."""
    return environment(
        worker_folder,
        CPRO_INSTANCE=str(worker_folder),
        CPRO_UPLOADS=str(worker_folder / "uploads"),
        CPRO_DATABASE_URL=as_serving(database),
        CPRO_SECRET_KEY=exchange.app.config["SECRET_KEY"],
    )


def start(settings: dict[str, str]) -> subprocess.Popen[str]:
    """Start a process that is about to do a run, and wait until it is."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=PROJECT_ROOT,
        env=settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def go(process: subprocess.Popen[str]) -> None:
    """Let a process begin its run."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def populate(exchange: Exchange, chance: random.Random) -> None:
    """Add pupils who moved among the three schools, some through two of them, with records."""
    students, records = [], {Fiche: [], Evaluation: [], Bilan: []}
    with exchange.look() as session:
        first = (session.scalar(select(func.max(Student.id))) or 0) + 1
    for number in range(PUPILS):
        journey = chance.sample(["a", "b", "c"], chance.choice([2, 2, 3]))
        ine = exchange.ine()
        for school in journey:
            student_id = first + len(students)
            is_last = school == journey[-1]
            students.append(
                {
                    "id": student_id,
                    "establishment_id": exchange.ids[school],
                    "last_name": "Topaze",
                    "first_name": "Lou",
                    "ine": ine,
                    "came_by": Origin.SIECLE,
                    "is_active": is_last,
                    "departed_on": None if is_last else NOW.date(),
                    "created_at": NOW,
                }
            )
            if not is_last:
                fiche = exchange.fiche(school, student_id, title=f"Fiche {number}")
                marks = [exchange.evaluation(school, student_id, fiche_uid=fiche.origin_uid) for _ in range(3)]
                records[Fiche].append(fiche)
                records[Evaluation] += marks
                records[Bilan].append(exchange.bilan(school, student_id))
    with exchange.write() as session:
        session.execute(insert(Student), students)
        for kind, rows in records.items():
            columns = [column.key for column in kind.__mapper__.column_attrs if column.key != "id"]
            session.execute(insert(kind), [{name: getattr(row, name) for name in columns} for row in rows])


def count_done(exchange: Exchange) -> int:
    with exchange.look() as session:
        done = Transfer.state == TransferState.DONE
        return session.scalar(select(func.count(Transfer.id)).where(done)) or 0


def test_run_killed_at_random_moments_nothing_is_lost_nor_twice(
    app: Flask, world: World, exchange: Exchange, settings: dict[str, str]
) -> None:
    chance = random.Random(20261123)
    populate(exchange, chance)
    seen = [0]

    for _attempt in range(KILLS):
        process = start(settings)
        go(process)
        assert process.stdout
        for _batch in range(chance.randint(0, 2)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with exchange.look() as session:
            check_soundness(session)
        seen.append(count_done(exchange))

    exchange.run()
    total = count_done(exchange)
    at_work = sum(done < total for done in seen[1:])
    assert at_work > 0.9 * KILLS, f"only {at_work} runs of {KILLS} were killed before the end: {seen}"
    assert any(0 < done for done in seen[:-1]), f"no run was killed after a batch: {seen}"
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)
    assert exchange.run().pairs == 0
    print(f"{KILLS} runs killed, {at_work} before the end; transfers done after each, of {total}: {seen[1:]}")


def test_run_twice_at_once_copies_once(app: Flask, world: World, exchange: Exchange, settings: dict[str, str]) -> None:
    populate(exchange, random.Random(7))
    both = [start(settings), start(settings)]
    for process in both:
        go(process)
    for process in both:
        _out, complaints = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, complaints

    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)
    with app.app_context():
        db.session.remove()
    assert exchange.run().pairs == 0
