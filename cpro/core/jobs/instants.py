"""The clock of jobs, used for due times, leases and ends: the database's, shared by all hosts."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.core import clock
from cpro.extensions import db


def read_clock(session: Session | None = None) -> datetime:
    """Return the current instant according to a session's database (by default the request's).

    With its own clock, a host that is ahead would take running jobs from their workers, and delete data too early.
    For SQLite, the only host's clock is used.
    """
    session = session or db.session()
    if session.get_bind().dialect.name != "postgresql":
        return clock.utcnow()
    instant: datetime = session.connection().execute(select(func.clock_timestamp())).scalar_one()
    return instant.astimezone(UTC)


def read_stopwatch() -> float:
    """Return seconds, to measure elapsed time unaffected by changes of this host's clock."""
    return time.monotonic()
