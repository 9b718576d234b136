"""Housekeeping that each worker runs every minute: requeue the jobs of dead workers, enqueue the periodic jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from cpro.core import tenancy
from cpro.core.formatting import plural
from cpro.core.jobs import instants, operations
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import list_periodic, nightly
from cpro.core.jobs.models import Job, JobState
from cpro.core.permissions import Actor
from cpro.core.transactions import platform_unit_of_work

#: The actor of periodic jobs.
SCHEDULE = Actor("system", None, "Tâche périodique", "system", "worker")

_KEPT = timedelta(days=30)


def beat(name: str) -> None:
    """Record that the worker of that name is alive."""
    with platform_unit_of_work("worker: a sign of life") as work:
        operations.record_beat(work.session, name, now=instants.read_clock(work.session))


def run_housekeeping() -> None:
    """Requeue the jobs of dead workers, enqueue the periodic jobs that are due.

    Takes no lock when there is nothing to do. Safe to run in several workers at once.
    """
    with tenancy.platform_session("worker: is there something to do?") as session:
        now = instants.read_clock(session)
        expired = session.scalar(select(Job.id).where(Job.state == JobState.RUNNING, Job.lease_until < now).limit(1))
        due = _list_due(now)
        asked = set(session.scalars(select(Job.period_key).where(Job.period_key.in_(due.values()))))
    if expired:
        with platform_unit_of_work("worker: jobs of dead workers") as work:
            operations.take_back_expired(work.session, now=now)
    for kind, period_key in due.items():
        if period_key not in asked:
            _ask_once(kind, period_key, now)


def _list_due(now: datetime) -> dict[str, str]:
    """Return the period key of each periodic kind that has a period at this instant."""
    periods = {handler.kind: handler.period(now) for handler in list_periodic() if handler.period}
    return {kind: f"{kind}@{period}" for kind, period in periods.items() if period}


def _ask_once(kind: str, period_key: str, now: datetime) -> None:
    try:
        with platform_unit_of_work("worker: a periodic job") as work:
            operations.enqueue(kind, by=SCHEDULE, now=now, session=work.session, period_key=period_key)
    except IntegrityError:
        pass  # another worker enqueued it first


def _purge(context: JobContext) -> dict[str, int]:
    """Delete finished periodic jobs older than a month; those requested by people are kept."""
    with context.unit_of_work() as work:
        finished = [state for state in JobState if state.is_finished]
        forgotten = work.session.scalars(
            delete(Job)
            .where(Job.period_key.is_not(None), Job.state.in_(finished), Job.created_at < context.now - _KEPT)
            .returning(Job.id)
        )
        return {"forgotten": len(forgotten.all())}


def _describe_purge(result: Mapping[str, Any]) -> str:
    number = result.get("forgotten", 0)
    return f"{plural(number, 'ancienne tâche oubliée', 'anciennes tâches oubliées')}."


def register() -> None:
    """Declare the periodic job of the jobs themselves."""
    nightly("jobs:purge", label="Oubli des anciennes tâches périodiques", summary=_describe_purge)(_purge)
