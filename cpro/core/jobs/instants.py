"""The clock of jobs, by which they are due, leased and done: the database's, which all hosts share."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.core import clock
from cpro.extensions import db


def read_clock(session: Session | None = None) -> datetime:
    """Return the present instant, as the database of a session tells it (that of the request by default).

    By its own clock, a host that is ahead would take running jobs from their workers, and delete what is to be kept for
    longer. A SQLite database has the clock of its only host.
    """
    session = session or db.session()
    if session.get_bind().dialect.name != "postgresql":
        return clock.utcnow()
    instant: datetime = session.connection().execute(select(func.clock_timestamp())).scalar_one()
    return instant.astimezone(UTC)


def read_stopwatch() -> float:
    """Return seconds whose differences are the time that passed here, whatever is done to the clock of this host."""
    return time.monotonic()
