"""Handlers to rehearse with, and workers in processes of their own that tests may kill.

`python -m tests.core.jobs.rehearsal` starts a process that forks a worker, prints its number, and forks another each
time one is killed, until one ends by itself.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from cpro.core.errors import DomainError
from cpro.core.jobs import worker
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import Report, job
from cpro.extensions import db
from cpro.students.models import Student
from tests.factories import make_student

SHORT_LEASE = timedelta(seconds=1)

#: attempts of `sleep` under way in this process
asleep: list[int] = []


def effect(code: str) -> str:
    """Return the last name of the student whose arrival is the effect of a job."""
    return f"Effet-{code}"


def _describe_result(result: Mapping[str, Any]) -> str:
    return "La répétition est finie."


@job("rehearsal:arrive", label="Répétition", summary=_describe_result, lease=SHORT_LEASE, attempts=1000)
def arrive(context: JobContext, code: str, steps: int = 0) -> None:
    """Add a student, in the transaction that ends the job; nothing but that transaction prevents a second one."""
    for step in range(steps):
        time.sleep(0.03)
        context.progress(step + 1, steps, "Étape")
    with context.unit_of_work() as work:
        work.session.add(make_student(context.establishment_id or 0, last_name=effect(code), ine=None))
        work.session.flush()
        context.finish_within(work.session, {"code": code})


@job(
    "rehearsal:report",
    label="Répétition avec compte rendu",
    summary=lambda result: f"{len(result)} choses dites.",
    report=lambda job, reader: Report("admin.index", "Lire le compte rendu"),
)
def report(context: JobContext, **arguments: object) -> dict[str, object]:
    """Return what it was given, who asked, and the school whose rows it sees."""
    schools = db.session.scalars(select(Student.establishment_id).distinct()).all() if context.establishment_id else []
    return {**arguments, "actor": context.actor.label, "schools": list(schools)}


@job("rehearsal:refuse", label="Répétition", summary=_describe_result)
def refuse(context: JobContext) -> None:
    """Refuse, as a rule does."""
    raise DomainError("Le fichier ne contient aucun élève.")


@job("rehearsal:crash", label="Répétition", summary=_describe_result)
def crash(context: JobContext) -> None:
    """Fail, as a defect does."""
    raise ZeroDivisionError("a secret nobody should read")


@job("rehearsal:misread", label="Répétition", summary=_describe_result)
def misread(context: JobContext) -> None:
    """Read a column that does not exist, as a defect does."""
    with context.unit_of_work() as work:
        work.session.connection().exec_driver_sql("SELECT no_such_column FROM student")


@job("rehearsal:last", label="Répétition", summary=_describe_result, exclusive="rehearsal", lease=SHORT_LEASE)
def last(context: JobContext, seconds: float = 30) -> dict[str, int]:
    """Last, with a heartbeat; end where told to."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.02)
        context.heartbeat()
    return {"attempt": context.attempt}


@job("rehearsal:die", label="Répétition", summary=_describe_result, lease=SHORT_LEASE)
def die(context: JobContext, code: str, moment: str) -> None:
    """Kill the process at a moment of the first attempt; add a student otherwise."""

    def come(now: str) -> None:
        if context.attempt == 1 and now == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    come("before the effect")
    with context.unit_of_work() as work:
        work.session.add(make_student(context.establishment_id or 0, last_name=effect(code), ine=None))
        work.session.flush()
        come("between the effect and the end")
        context.finish_within(work.session)
        come("before the commit")
    come("after the commit")


@job("rehearsal:sleep", label="Répétition", summary=_describe_result, lease=SHORT_LEASE)
def sleep(context: JobContext, seconds: float) -> None:
    """Be silent for a while the first time, then try to add a student."""
    asleep.append(context.attempt)
    try:
        time.sleep(seconds if context.attempt == 1 else 0)
        with context.unit_of_work() as work:
            work.session.add(make_student(context.establishment_id or 0, last_name=effect("dormeur"), ine=None))
            work.session.flush()
            context.finish_within(work.session)
    finally:
        asleep.remove(context.attempt)


def _be_a_worker(app: Flask) -> None:
    worker.HOUSEKEEPING_EVERY = 0.3
    worker.POLL_EVERY = 0.05
    app.config["CPRO_WORKER_NICE"] = 0  # on a loaded machine, its tests would wait for it
    worker.run_worker(app)


def _fork_workers(app: Flask) -> None:
    while True:
        child = os.fork()
        if child == 0:
            _be_a_worker(app)
            os._exit(0)
        print(child, flush=True)
        _child, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            return


if __name__ == "__main__":
    from app import app as application

    _fork_workers(application)
