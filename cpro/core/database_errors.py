"""Separate the failures of the database server, which pass or its operator mends, from the defects of a statement.

An error is judged by its code, PostgreSQL's SQLSTATE or SQLite's result code, rather than its class: `OperationalError`
is also what SQLite raises for a missing column, and PostgreSQL for a statement that is too complex. psycopg gives no
code where it could not connect: the server is away, or has no connection left.
"""

from __future__ import annotations

import sqlite3
from enum import Enum, auto

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft


class Failure(Enum):
    """What failed in the database's server."""

    #: another transaction has the lock, or all connections of our pool are taken: retrying later may succeed
    BUSY = auto()
    #: the statement timed out, or an administrator cancelled it: retrying would time out too
    TOO_LONG = auto()
    #: the disk of the database is full
    FULL = auto()
    #: the server is a replica, or the file or its disk is read-only
    READ_ONLY = auto()
    #: what the disk holds is not, or no longer, a sound database
    DAMAGED = auto()
    #: stopped, unreachable, without memory, its disk in error
    AWAY = auto()


#: SQLSTATEs of PostgreSQL, and their classes (the first two characters) for all others of the class.
_STATES = {
    "40P01": Failure.BUSY,  # deadlock
    "40001": Failure.BUSY,  # serialization failure
    "55P03": Failure.BUSY,  # lock timeout
    "57014": Failure.TOO_LONG,
    "53100": Failure.FULL,
    "25006": Failure.READ_ONLY,
    "XX001": Failure.DAMAGED,  # a table
    "XX002": Failure.DAMAGED,  # an index
    "08": Failure.AWAY,  # connection
    "53": Failure.AWAY,  # insufficient resources: memory, temporary files
    "57": Failure.AWAY,  # operator intervention: stopping, starting, crashed
    "58": Failure.AWAY,  # system error: its disk
}
#: Result codes of SQLite: the low byte of the extended ones.
_CODES = {
    sqlite3.SQLITE_BUSY: Failure.BUSY,
    sqlite3.SQLITE_LOCKED: Failure.BUSY,
    sqlite3.SQLITE_FULL: Failure.FULL,
    sqlite3.SQLITE_READONLY: Failure.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: Failure.DAMAGED,
    sqlite3.SQLITE_NOTADB: Failure.DAMAGED,
    sqlite3.SQLITE_PERM: Failure.AWAY,
    sqlite3.SQLITE_IOERR: Failure.AWAY,
    sqlite3.SQLITE_CANTOPEN: Failure.AWAY,
    sqlite3.SQLITE_PROTOCOL: Failure.AWAY,  # the locks of its disk do not work
}
#: SQLAlchemy: the connection of this transaction is gone, it must be rolled back.
_LOST_CODE = "8s2b"
#: PostgreSQL: deadlock, serialization failure.
_UNDONE_STATES = frozenset({"40P01", "40001"})


def find_failure(error: BaseException | None) -> Failure | None:
    """Return what failed in the database's server, or None for any other error: a defect."""
    if isinstance(error, NoConnectionLeft):
        return Failure.BUSY
    if getattr(error, "code", None) == _LOST_CODE:
        return Failure.AWAY
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _CODES.get(getattr(error.orig, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(error.orig, "sqlstate", None) or ""
    if error.connection_invalidated or (not state and isinstance(error, OperationalError)):
        return Failure.AWAY  # psycopg gives no state when it cannot connect, or loses its connection
    return _STATES.get(state) or _STATES.get(state[:2])


def is_busy(error: BaseException | None) -> bool:
    """Return whether an error means that a lock or our pool of connections is taken: retrying later may succeed."""
    return find_failure(error) is Failure.BUSY


def was_undone(error: BaseException | None) -> bool:
    """Return whether PostgreSQL rolled back a transaction to let another continue: it can be retried at once."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _UNDONE_STATES
