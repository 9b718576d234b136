"""What a database error means: a lock that another transaction holds, a lost connection, a full or read-only disk."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

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
