"""The worker killed while it applies or undoes an import: the school is as it was, or as the import makes it.

`python -m bench.campaigns imports-killed` kills more workers than the suite has time for.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bench.campaigns import size_of
from cpro.core import clock
from cpro.core.jobs.models import Job, JobState
from cpro.core.jobs.operations import take_back_expired
from cpro.core.jobs.runner import Runner
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.imports.apply import reversal
from cpro.imports.models import RunState
from cpro.imports.queries import get_run
from cpro.imports.runs.lifecycle import send_to_application
from cpro.students.models import Division, Student
from tests.helpers.imports import Desk
from tests.helpers.platform import PROJECT_ROOT, as_serving, environment

pytestmark = pytest.mark.slow

PUPILS, KILLS = 3000, size_of("imports-killed")
PATIENCE = 180  # seconds: an upper bound for a loaded machine, no measure
#: Moments are drawn over the time an application takes here, and a little beyond, so that some come just after.
BEYOND = 1.25


@pytest.fixture
def settings(desk: Desk, database: str, worker_folder: Path) -> dict[str, str]:
    """Return the environment of a worker on the same database."""
    desk.app.extensions["cpro_jobs"].huey.flush()
    return environment(
        worker_folder,
        CPRO_INSTANCE=str(worker_folder),
        CPRO_UPLOADS=str(worker_folder / "uploads"),
        CPRO_DATABASE_URL=as_serving(database),
    )


def deposit(desk: Desk, division: str = "D0") -> tuple[int, int]:
    """Analyse pupils of the present year and send them to a worker; return the import and its job."""
    now = clock.utcnow()
    year = now.year if now.month >= 8 else now.year - 1
    pupils = ({"id": str(number), "ine": "", "division": division} for number in range(PUPILS))
    run_id = desk.analyse(desk.file_of(*pupils, year=year), now=now)
    with desk.look(), unit_of_work():
        return run_id, send_to_application(get_run(run_id), confirmations=(), by=desk.by, now=now).id


def send_to_undoing(desk: Desk) -> tuple[int, int]:
    """Have pupils of the present year applied, then ask a worker to undo it; return the import and its job."""
    run_id, _job_id = deposit(desk)
    desk_runner(desk).drain()
    with desk.look(), unit_of_work():
        job = reversal.request_undo(get_run(run_id), by=desk.by, now=clock.utcnow())
        assert job is not None
        return run_id, job.id


@contextmanager
def worker(settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start a worker in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "worker"],
        cwd=PROJECT_ROOT,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def picture(desk: Desk) -> tuple[dict[str, int], int]:
    """Return how many pupils of the files each division has, and how many divisions there are."""
    with desk.look() as session:
        pupils = session.execute(
            select(Division.code, func.count(Student.id))
            .join(Student, Student.division_id == Division.id)
            .where(Student.siecle_id.is_not(None))
            .group_by(Division.code)
        )
        return {code: number for code, number in pupils}, session.scalar(select(func.count(Division.id))) or 0


def wait_for_end(desk: Desk, run_id: int) -> tuple[tuple[dict[str, int], int], RunState]:
    """Return the picture and the import's state once both are stable: a server may be ending the worker's commit."""
    while True:
        state, seen = desk.run(run_id).state, picture(desk)
        if desk.run(run_id).state is state:
            return seen, state


def test_apply_killed_at_any_moment_the_school_is_old_or_new(desk: Desk, settings: dict[str, str]) -> None:
    chance = random.Random(20261123)
    for division in ("D0", "D1"):  # pupils who move, as in what follows, take less time than pupils who arrive
        deposit(desk, division)
        started = time.monotonic()
        desk_runner(desk).drain()
        duration = time.monotonic() - started
    imports = 2
    run_id, job_id = deposit(desk, "D2")
    before = picture(desk)
    states = []

    for kill in range(KILLS):
        with worker(settings) as process:
            assert process.stdout
            process.stdout.readline()
            _wait_until_taken(desk, job_id)
            if kill:  # the first one at once, so that one at least dies at work however quick the machine
                time.sleep(chance.uniform(0, BEYOND * duration))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        seen, state = wait_for_end(desk, run_id)
        states.append(state)
        old, new = (before, RunState.APPLYING), (({f"D{imports}": PUPILS}, before[1] + 1), RunState.APPLIED)
        assert (seen, state) in (old, new)
        if state is RunState.APPLIED:
            imports += 1
            run_id, job_id = deposit(desk, f"D{imports}")
            before = picture(desk)
        else:
            _expire(desk, job_id)

    desk_runner(desk).drain()
    print(f"killed {KILLS} times: {states.count(RunState.APPLYING)} before the end, the others after")
    assert RunState.APPLYING in states, "no worker was killed at work: the test proved nothing"
    assert (picture(desk)[0], desk.run(run_id).state) == ({f"D{imports}": PUPILS}, RunState.APPLIED)
    with desk.look() as session:
        assert session.get_one(Job, job_id).state == JobState.DONE


def test_undo_killed_at_any_moment_the_import_stands_or_is_gone(
    desk: Desk, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reversal, "AT_ONCE_CHANGES", PUPILS // 2)
    chance = random.Random(20261124)
    run_id, job_id = send_to_undoing(desk)
    applied = picture(desk)
    started = time.monotonic()
    desk_runner(desk).drain()
    duration = time.monotonic() - started
    assert (picture(desk)[0], desk.run(run_id).state) == ({}, RunState.UNDONE)
    gone = picture(desk)
    run_id, job_id = send_to_undoing(desk)
    states = []

    for kill in range(KILLS):
        with worker(settings) as process:
            assert process.stdout
            process.stdout.readline()
            _wait_until_taken(desk, job_id)
            if kill:
                time.sleep(chance.uniform(0, BEYOND * duration))
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        seen, state = wait_for_end(desk, run_id)
        states.append(state)
        assert (seen, state) in ((applied, RunState.APPLIED), (gone, RunState.UNDONE))
        if state is RunState.UNDONE:
            run_id, job_id = send_to_undoing(desk)
        else:
            _expire(desk, job_id)

    desk_runner(desk).drain()
    print(f"killed {KILLS} times: {states.count(RunState.APPLIED)} before the end, the others after")
    assert RunState.APPLIED in states, "no worker was killed at work: the test proved nothing"
    assert (picture(desk), desk.run(run_id).state) == (gone, RunState.UNDONE)


def test_apply_refused_waits_for_a_new_analysis(desk: Desk) -> None:
    run_id, job_id = deposit(desk)
    with desk.open() as session:
        session.add(Student(siecle_id="5", last_name="A", first_name="B", created_at=clock.utcnow()))

    desk_runner(desk).drain()

    with desk.look() as session:
        job = session.get_one(Job, job_id)
    assert (job.state, desk.run(run_id).state, picture(desk)[0]) == (JobState.FAILED, RunState.ANALYSED, {})
    assert "ont changé depuis l’analyse" in job.error


def test_apply_import_applies_and_ends_its_job_in_one_commit(desk: Desk) -> None:
    run_id, job_id = deposit(desk)

    desk_runner(desk).drain()

    with desk.look() as session:
        job = session.get_one(Job, job_id)
    assert job.result is not None
    assert job.result["counts"]["students"]["created"] == PUPILS
    assert desk.run(run_id).state is RunState.APPLIED


def desk_runner(desk: Desk) -> Runner:
    """Return what does jobs here and now."""
    return Runner(desk.app, threading.Event())


def _wait_until_taken(desk: Desk, job_id: int) -> None:
    until = time.monotonic() + PATIENCE
    while _job_state(desk, job_id) == "waiting":
        assert time.monotonic() < until
        time.sleep(0.01)


def _job_state(desk: Desk, job_id: int) -> str:
    with desk.look() as session:
        return session.get_one(Job, job_id).state.value


def _expire(desk: Desk, job_id: int) -> None:
    """Let the job be taken again at once, as when its lease is over, however often it was before."""
    with desk.app.app_context(), platform_unit_of_work("test") as work:
        job = work.session.get_one(Job, job_id)
        if job.state is JobState.RUNNING:
            job.lease_until, job.attempts = clock.utcnow() - timedelta(minutes=1), 0
            take_back_expired(work.session, now=clock.utcnow())
