"""One action, one transaction: operations flush, `unit_of_work` commits once or not at all.

What leaves the database (e-mails, file deletions) is handed to `after_commit`: it happens only if the action did.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, UOWTransaction

from cpro.core import tenancy
from cpro.core.locks import milliseconds_to_wait
from cpro.extensions import HELD_CONNECTION, application, db

logger = logging.getLogger(__name__)

_OPEN = "cpro_unit_of_work"
#: Connection option: SQLite takes its single write lock at BEGIN instead of failing at the first write.
_BEGIN_IMMEDIATE = "cpro_begin_immediate"
#: Seconds: a transaction that lasts longer leaves others a turn before the next; at most so long.
_LONG, _LONGEST_TURN = 0.02, 0.1
#: The last transaction of each thread: when it ended, how long it took.
_last = threading.local()
#: How long a connection of SQLite was last set to wait, in milliseconds.
_WAITS = "cpro_waits"


class UnitOfWork:
    """Hold what must happen once the action is safe in the database."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._afterwards: list[Callable[[], object]] = []

    def after_commit(self, action: Callable[[], object]) -> None:
        """Run `action` after the commit, never if it fails; an error of its own is logged and stops nothing."""
        self._afterwards.append(action)

    def _run_afterwards(self) -> None:
        for action in self._afterwards:
            try:
                action()
            except Exception:
                logger.exception("an action failed after its commit")


@contextmanager
def unit_of_work(session: Session | None = None) -> Iterator[UnitOfWork]:
    """Commit what the block wrote, once, at its end; roll everything back if it raises.

    What the session had read before is forgotten first, so that rules judge the rows as they are under the write
    lock and not as they were when the page was opened. Raises `RuntimeError` when one is already open.
    """
    target: Session = session or db.session()
    if target.info.get(_OPEN):
        raise RuntimeError("a unit of work is already open: operations must not open their own")
    if target.new or target.dirty or target.deleted:
        raise RuntimeError("something was changed before the unit of work was opened")
    target.rollback()
    _leave_a_turn()
    target.connection(execution_options={_BEGIN_IMMEDIATE: True})
    began = time.monotonic()
    work = UnitOfWork(target)
    target.info[_OPEN] = work
    try:
        yield work
        target.commit()
    except BaseException:
        target.rollback()
        raise
    finally:
        target.info.pop(_OPEN, None)
        if held := target.info.get(HELD_CONNECTION):
            held.execution_options(**{_BEGIN_IMMEDIATE: False})  # what it reads next takes no lock
        _last.ended = time.monotonic()
        _last.took = _last.ended - began
    work._run_afterwards()


def _leave_a_turn() -> None:
    """Let others write, where transactions follow each other in a job or a command and the last one was long.

    Whoever waits for SQLite's single writer asks again now and then, in no order: without a pause they might never find
    it free. PostgreSQL has queues, and does not mind.
    """
    if application.is_answering or getattr(_last, "took", 0.0) < _LONG:
        return
    pause = min(_last.took, _LONGEST_TURN) - (time.monotonic() - _last.ended)
    if pause > 0:
        time.sleep(pause)


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Run `action` once the session's unit of work is committed, never if it fails: for operations that send a message.

    Raises `RuntimeError` when no unit of work is open.
    """
    work = session.info.get(_OPEN)
    if not isinstance(work, UnitOfWork):
        raise RuntimeError("nothing will be committed: open a unit_of_work()")
    work.after_commit(action)


@contextmanager
def platform_unit_of_work(reason: str) -> Iterator[UnitOfWork]:
    """Open a platform session and a unit of work on it; `reason` says why the action spans schools."""
    with tenancy.platform_session(reason) as session, unit_of_work(session) as work:
        yield work


@contextmanager
def held_connection(session: Session) -> Iterator[Connection]:
    """Keep a session on one connection over several transactions: temporary tables are its alone.

    Raises `RuntimeError` inside a unit of work, whose connection is another.
    """
    if session.info.get(_OPEN) or session.info.get(HELD_CONNECTION):
        raise RuntimeError("a connection is held before the unit of work is opened, and once")
    session.rollback()
    with db.engine.connect() as connection:
        session.info[HELD_CONNECTION] = connection
        try:
            yield connection
        finally:
            session.rollback()
            session.info.pop(HELD_CONNECTION)


def keep_temporary(session: Session) -> None:
    """End a transaction that wrote nothing but temporary tables, and keep them.

    Raises `RuntimeError` when anything else may have been written.
    """
    if session.info.get(_OPEN) or session.new or session.dirty or session.deleted:
        raise RuntimeError("only temporary tables are kept outside a unit of work")
    session.commit()


def _refuse_stray_writes(session: Session, flush_context: UOWTransaction, instances: object) -> None:
    if not session.info.get(_OPEN) and (session.new or session.deleted or any(map(session.is_modified, session.dirty))):
        raise RuntimeError("writes belong in a unit_of_work(), with their audit line")


event.listen(db.session, "before_flush", _refuse_stray_writes)


def configure_engine(engine: Engine) -> None:
    """Give SQLite real transactions, foreign keys, a write-ahead log and a time to wait; nothing to PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # BEGIN is ours, below
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wait = milliseconds_to_wait()
        if connection.info.get(_WAITS) != wait:
            connection.connection.cursor().execute(f"PRAGMA busy_timeout={wait}")  # no statement of anybody's
            connection.info[_WAITS] = wait
        immediate = connection.get_execution_options().get(_BEGIN_IMMEDIATE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
