"""Check the order in which PostgreSQL's rows are locked, in every test (docs/decisions/0017-one-lock-order.md).

Rows of schools come first, by ascending id, then the platform's lock, then everything else. A statement that breaks the
order fails at once, whether or not another transaction was waiting.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from cpro.core.transactions import PLATFORM_LOCK, SCHOOL_LAST

#: In a connection's `info`: the locks of its transaction.
_HELD = "lock order of the tests"
_WRITES = re.compile(r"^\s*(?:UPDATE|DELETE FROM|INSERT INTO) (\w+)", re.I)
_LOCKS = re.compile(r"FROM (\w+).*FOR (?:NO KEY )?UPDATE", re.I | re.S)
_SCHOOLS = "establishment"
#: Tables that each action writes to last, under the lock of a school or of the platform.
_JOURNAL = frozenset({"audit_entry", "audit_head"})
#: Prefix of temporary tables: rows of one transaction, which no other can wait for.
_TEMPORARY = "staged_"


class LockOrderError(AssertionError):
    """Two locks were taken in an order opposite to that of another transaction."""


class _Held:
    def __init__(self, *, school_last: bool) -> None:
        self.school_last = school_last
        self.schools: set[int] = set()
        self.written: list[str] = []
        self.platform = False


def let_pass(session: Session) -> None:
    """Disable the check for a transaction that sets rows up past the rules, while no other transaction runs."""
    session.connection().info[_HELD] = _Held(school_last=True)


def watch(engine: Engine) -> None:
    """Make each statement of a PostgreSQL engine fail when it takes a lock out of order."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.info.pop(_HELD, None)

    @event.listens_for(engine, "before_cursor_execute")
    def _judge(connection: Connection, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        options = connection.get_execution_options()
        held = connection.info.setdefault(_HELD, _Held(school_last=bool(options.get(SCHOOL_LAST))))
        if str(PLATFORM_LOCK) in str(parameters) and "pg_advisory_xact_lock" in statement:
            if not held.platform:
                _judge_first(held, "the platform is")
            held.platform = True
            return
        table = _locked_table(statement)
        if table == _SCHOOLS:
            _judge_schools(held, _numbers(parameters))
        elif table and table not in _JOURNAL and not table.startswith(_TEMPORARY):
            held.written.append(table)


def _judge_schools(held: _Held, ids: set[int]) -> None:
    new = ids - held.schools
    if not new:
        return
    _judge_first(held, "a school is")
    if held.platform:
        raise LockOrderError("a school is locked after the platform")
    if held.schools and min(new) < max(held.schools):
        raise LockOrderError("schools are locked by ascending id")
    held.schools |= new


def _judge_first(held: _Held, what: str) -> None:
    if held.written and not held.school_last:
        raise LockOrderError(f"{what} locked after rows of {sorted(set(held.written))}")


def _locked_table(statement: str) -> str | None:
    found = _WRITES.match(statement) or _LOCKS.search(statement)
    table = found[1].lower() if found else None
    return None if table == _SCHOOLS and found and found[0].lstrip().upper().startswith("INSERT") else table


def _numbers(parameters: Any) -> set[int]:
    """Return the ids that a statement names: its parameters that have the name of the key."""
    values = parameters if isinstance(parameters, dict) else {}
    return {
        value
        for name, value in values.items()
        if isinstance(value, int) and not isinstance(value, bool) and re.match(r"(establishment_)?(id|pk)(_\d|$)", name)
    }
