"""Lock and statement timeouts of a transaction, and how to recognise database errors.

A user's request waits two seconds for a lock, then gets a plain 503: a waiting request occupies one of the server's
threads. Jobs and commands, which keep no user waiting, wait longer. `core/transactions.py` sets the timeouts on
SQLite and `core/tenancy.py` on PostgreSQL, at the beginning of each transaction; SQLite has no statement timeout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.orm import Session

from cpro.extensions import application

#: Seconds that a request waits for a lock, unless `CPRO_LOCK_WAIT` is set.
REQUEST_WAIT = 2.0
#: Seconds that a job or a command waits for a lock.
PATIENT_WAIT = 30.0

_chosen: ContextVar[float | None] = ContextVar("seconds to wait for a lock", default=None)

#: PostgreSQL: lock timeout, deadlock, serialization failure (to be retried).
_BUSY_STATES = frozenset({"55P03", "40P01", "40001"})
#: PostgreSQL: a statement that timed out, or that an administrator cancelled.
_CANCELLED_STATE = "57014"
#: SQLAlchemy: the connection of this transaction is gone, it must be rolled back.
_LOST_CODE = "8s2b"
#: PostgreSQL: its disk is full; SQLite: this machine's is.
_FULL_STATE, _FULL_CODE = "53100", 13
#: PostgreSQL: a read-only server (a replica); SQLite: a read-only file or disk.
_READ_ONLY_STATE, _READ_ONLY_CODE = "25006", 8
#: PostgreSQL: deadlock, serialization failure.
_UNDONE_STATES = frozenset({"40P01", "40001"})
#: SQLite: database locked, table locked (the low byte of the extended codes).
_BUSY_CODES = frozenset({5, 6})
#: SQLite: malformed page, not a database.
_DAMAGED_CODES = frozenset({11, 26})


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


def is_damaged(error: BaseException | None) -> bool:
    """Return whether an error means that the SQLite file is no longer a database, or has damaged pages."""
    code = getattr(error.orig, "sqlite_errorcode", 0) if isinstance(error, DBAPIError) else 0
    return code & 0xFF in _DAMAGED_CODES


def is_lost(error: BaseException | None) -> bool:
    """Return whether an error means that the connection was lost in the middle of a transaction."""
    return getattr(error, "connection_invalidated", False) or getattr(error, "code", None) == _LOST_CODE


def took_too_long(error: BaseException | None) -> bool:
    """Return whether an error means that a statement timed out: retrying would time out too."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _CANCELLED_STATE


def is_full(error: BaseException | None) -> bool:
    """Return whether an error means that the database's disk is full."""
    return _has(error, _FULL_STATE, _FULL_CODE)


def is_read_only(error: BaseException | None) -> bool:
    """Return whether an error means that the database is read-only."""
    return _has(error, _READ_ONLY_STATE, _READ_ONLY_CODE)


def _has(error: BaseException | None, state: str, code: int) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    return getattr(cause, "sqlstate", None) == state or getattr(cause, "sqlite_errorcode", 0) & 0xFF == code


def was_undone(error: BaseException | None) -> bool:
    """Return whether PostgreSQL rolled back a transaction to let another continue: it can be retried at once."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _UNDONE_STATES


def is_busy(error: BaseException | None) -> bool:
    """Return whether an error means that another transaction has the lock: retrying later may succeed."""
    if isinstance(error, NoConnectionLeft):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    state, code = getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorcode", 0)
    return state in _BUSY_STATES or code & 0xFF in _BUSY_CODES or "database is locked" in str(cause)
