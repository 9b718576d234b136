"""How long a transaction waits for a lock, how long one statement may take, and how to recognise what went wrong.

A person's request waits two seconds, then is answered by a plain 503: a request that waits keeps one of the server's
threads from everybody else. Jobs and commands, which keep nobody waiting, are patient. `core/transactions.py` sets
SQLite, `core/tenancy.py` on PostgreSQL, at the beginning of each transaction; SQLite does not limit statements.
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

#: Seconds that a request waits for a lock, where `CPRO_LOCK_WAIT` says nothing else.
REQUEST_WAIT = 2.0
#: Seconds that a job or a command waits for a lock.
PATIENT_WAIT = 30.0

_chosen: ContextVar[float | None] = ContextVar("seconds to wait for a lock", default=None)

#: PostgreSQL: a lock not obtained in time, a deadlock, a transaction to be tried again.
_BUSY_STATES = frozenset({"55P03", "40P01", "40001"})
#: PostgreSQL: a statement that took longer than it may, or that an administrator ended.
_CANCELLED_STATE = "57014"
#: PostgreSQL: no room left on its disk; SQLite: on this machine's.
_FULL_STATE, _FULL_CODE = "53100", 13
#: PostgreSQL: a server that only reads (a copy of another); SQLite: a file, or a disk, that only reads.
_READ_ONLY_STATE, _READ_ONLY_CODE = "25006", 8
#: PostgreSQL: a deadlock, a transaction that could not be put in order with another.
_UNDONE_STATES = frozenset({"40P01", "40001"})
#: SQLite: the database is locked, a table is locked (the low byte of the extended codes).
_BUSY_CODES = frozenset({5, 6})
#: SQLite: a malformed page, a file that is no database.
_DAMAGED_CODES = frozenset({11, 26})


def milliseconds_to_wait() -> int:
    """Return how long a transaction that begins now waits for each lock."""
    seconds = _chosen.get()
    if seconds is None:
        seconds = application.lock_wait or REQUEST_WAIT if application.is_answering else PATIENT_WAIT
    return round(seconds * 1000)


def limits_of_transaction() -> dict[str, str]:
    """Return PostgreSQL's settings for a transaction that begins now: how long it waits, and works, at each step."""
    seconds = application.statement_limit if application.is_answering else application.job_statement_limit
    # Of 0, PostgreSQL understands that one waits for ever.
    return {"lock_timeout": f"{max(1, milliseconds_to_wait())}ms", "statement_timeout": f"{seconds}s"}


@contextmanager
def wait_at_most(seconds: float) -> Iterator[None]:
    """Let the transactions that begin in the block wait for so long; 0 is not at all."""
    token = _chosen.set(seconds)
    try:
        yield
    finally:
        _chosen.reset(token)


def take_named_lock(session: Session, name: int, number: int) -> None:
    """Take a lock that is no row's, until the end of the transaction: `name` says which family, `number` which.

    On SQLite a unit of work holds the single writer, which is more.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(name, number)))


def is_damaged(error: BaseException | None) -> bool:
    """Return whether an error says that the file of a SQLite database is none any more, or holds damaged pages."""
    code = getattr(error.orig, "sqlite_errorcode", 0) if isinstance(error, DBAPIError) else 0
    return code & 0xFF in _DAMAGED_CODES


def took_too_long(error: BaseException | None) -> bool:
    """Return whether an error says that a statement took longer than it may: the same again would too."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _CANCELLED_STATE


def is_full(error: BaseException | None) -> bool:
    """Return whether an error says that the database has no room left on its disk."""
    return _has(error, _FULL_STATE, _FULL_CODE)


def is_read_only(error: BaseException | None) -> bool:
    """Return whether an error says that the database may be read, and not written."""
    return _has(error, _READ_ONLY_STATE, _READ_ONLY_CODE)


def _has(error: BaseException | None, state: str, code: int) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    return getattr(cause, "sqlstate", None) == state or getattr(cause, "sqlite_errorcode", 0) & 0xFF == code


def was_undone(error: BaseException | None) -> bool:
    """Return whether PostgreSQL undid a transaction to let another go on: the same again, at once, will do."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _UNDONE_STATES


def is_busy(error: BaseException | None) -> bool:
    """Return whether an error says that another transaction holds what was wanted: trying again later may do."""
    if isinstance(error, NoConnectionLeft):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    state, code = getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorcode", 0)
    return state in _BUSY_STATES or code & 0xFF in _BUSY_CODES or "database is locked" in str(cause)
