"""Apply and undo imports: the long part is prepared first without a write lock, then written at once.

These open their own units of work: call them outside any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cpro.core.errors import DomainError
from cpro.core.permissions import Actor
from cpro.core.staging import staging
from cpro.core.transactions import unit_of_work
from cpro.extensions import db
from cpro.imports.apply import application, reversal
from cpro.imports.queries import get_run, school_day

Clock = Callable[[], datetime]
#: What is to be committed with an import, given the session and what the import returns.
Finish = Callable[[Session, Mapping[str, Any]], object]


def _nothing(*_given: object) -> None:
    """Do nothing."""


def apply(
    run_id: int,
    *,
    confirmations: Sequence[str],
    by: Actor,
    clock: Clock,
    heartbeat: Callable[[], None] = _nothing,
    finish: Finish = _nothing,
) -> dict[str, Any]:
    """Write an import that is « en cours d’application » and return its figures.

    `heartbeat` is called between two pages of the preparation. Raises as `prepare_application` and
    `write_application`: nothing is written then.
    """
    now = clock()
    today = school_day(now)
    with staging(db.session()) as staged:
        prepared = application.prepare_application(
            staged, run_id, confirmations=confirmations, today=today, by=by, now=now, heartbeat=heartbeat
        )
        with unit_of_work() as work:
            counts = application.write_application(staged, prepared, today=today, by=by, now=clock())
            finish(work.session, counts)
    return counts


def apply_now(run_id: int, *, confirmations: Sequence[str], by: Actor, clock: Clock) -> dict[str, Any]:
    """Apply an analysed import here and now, without a job; refused, it is as it was. Raises as `apply`."""
    with unit_of_work():
        application.begin_application(get_run(run_id))
    try:
        return apply(run_id, confirmations=confirmations, by=by, clock=clock)
    except DomainError:
        with unit_of_work():
            application.give_up_application(get_run(run_id))
        raise


def undo(
    *,
    run_id: int | None = None,
    by: Actor,
    clock: Clock,
    heartbeat: Callable[[], None] = _nothing,
    finish: Finish = _nothing,
) -> str:
    """Undo the last import, which must be `run_id` where one is named, and return how it is called.

    Raises as `prepare_undo` and `write_undo`: nothing is undone then.
    """
    now = clock()
    today = school_day(now)
    with staging(db.session()) as staged:
        prepared = reversal.prepare_undo(staged, run_id=run_id, today=today, now=now, heartbeat=heartbeat)
        with unit_of_work() as work:
            run = reversal.write_undo(staged, prepared, today=today, by=by, now=clock())
            finish(work.session, {"run_id": run.id, "counts": run.counts})
            return run.label
