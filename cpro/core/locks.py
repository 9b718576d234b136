"""Lock and statement timeouts of a transaction; `core/database_errors.py` recognises what they raise.

A user's request waits two seconds for a lock, then gets a plain 503: a waiting request occupies one of the server's
threads. Jobs and commands, which keep no user waiting, wait longer. `core/transactions.py` sets the timeouts on
SQLite and `core/tenancy.py` on PostgreSQL, at the beginning of each transaction; SQLite has no statement timeout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.extensions import application

#: Seconds that a request waits for a lock, unless `CPRO_LOCK_WAIT` is set.
REQUEST_WAIT = 2.0
#: Seconds that a job or a command waits for a lock.
PATIENT_WAIT = 30.0

_chosen: ContextVar[float | None] = ContextVar("seconds to wait for a lock", default=None)


def milliseconds_to_wait() -> int:
    """Return how many milliseconds a transaction that begins now waits for each lock."""
    seconds = _chosen.get()
    if seconds is None:
        seconds = application.lock_wait or REQUEST_WAIT if application.is_answering else PATIENT_WAIT
    return round(seconds * 1000)


def limits_of_transaction() -> dict[str, str]:
    """Return PostgreSQL's lock and statement timeouts for a transaction that begins now."""
    seconds = application.statement_limit if application.is_answering else application.job_statement_limit
    # PostgreSQL takes 0 as « no limit ».
    return {"lock_timeout": f"{max(1, milliseconds_to_wait())}ms", "statement_timeout": f"{seconds}s"}


@contextmanager
def wait_at_most(seconds: float) -> Iterator[None]:
    """Set the lock timeout of the transactions that begin in the block; 0 does not wait at all."""
    token = _chosen.set(seconds)
    try:
        yield
    finally:
        _chosen.reset(token)


def take_named_lock(session: Session, name: int, number: int) -> None:
    """Take an advisory lock until the end of the transaction: `name` is its family, `number` its key in it.

    On SQLite a unit of work already excludes every other writer.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(name, number)))
