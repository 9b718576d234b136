"""One action, one transaction: operations flush, `unit_of_work` commits once or not at all.

Effects outside the database (e-mails, file deletions) are passed to `after_commit`: they happen only if the commit
does. Rows are locked in one order, schools first (docs/decisions/0017-one-lock-order.md): a school's unit of work
begins by locking its row, so that a school has one writer at a time on PostgreSQL as on SQLite.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import event, func, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, UOWTransaction

from cpro.core import tenancy
from cpro.core.locks import milliseconds_to_wait
from cpro.extensions import HELD_CONNECTION, Model, application, db

logger = logging.getLogger(__name__)

_OPEN = "cpro_unit_of_work"
#: Connection option: SQLite takes its single write lock at BEGIN instead of failing at the first write.
_BEGIN_IMMEDIATE = "cpro_begin_immediate"
#: Connection option: the transaction locks its school just before it ends (checked by the tests).
SCHOOL_LAST = "cpro_school_last"
#: In seconds: after a transaction longer than the first, pause before the next, at most for the second.
_LONG, _LONGEST_TURN = 0.02, 0.1
#: Per thread: when its last transaction ended, how long it took, how many it committed.
_last = threading.local()
#: Advisory lock of the platform on PostgreSQL, beside those of schools; an arbitrary number that nothing else uses.
PLATFORM_LOCK = 0x4350524F
#: Key in a session's `info`: the schools whose rows its transaction has locked.
_LOCKED = "cpro_locked_schools"
#: The lock timeout last set on a SQLite connection, in milliseconds.
_WAITS = "cpro_waits"


class UnitOfWork:
    """A session being written, and the actions to run after its commit."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._afterwards: list[Callable[[], object]] = []

    def after_commit(self, action: Callable[[], object]) -> None:
        """Run `action` after a successful commit only; its own error is logged and stops nothing."""
        self._afterwards.append(action)

    def _run_afterwards(self) -> None:
        for action in self._afterwards:
            try:
                action()
            except Exception:
                logger.exception("an action failed after its commit")


@contextmanager
def unit_of_work(session: Session | None = None, *, school_first: bool = True) -> Iterator[UnitOfWork]:
    """Commit what the block wrote, once, at its end; roll everything back if it raises.

    The session's state is first discarded and the row of its school locked, so that rules check the rows as they are
    under the lock, not as they were when the page was opened. A long transaction that must not block the school
    passes `school_first=False`, and takes the lock just before it ends. Raises `RuntimeError` when one is already
    open.
    """
    target: Session = session or db.session()
    if target.info.get(_OPEN):
        raise RuntimeError("a unit of work is already open: operations must not open their own")
    if target.new or target.dirty or target.deleted:
        raise RuntimeError("something was changed before the unit of work was opened")
    target.rollback()
    _leave_a_turn()
    target.connection(execution_options={_BEGIN_IMMEDIATE: True, SCHOOL_LAST: not school_first})
    began = time.monotonic()
    work = UnitOfWork(target)
    target.info[_OPEN] = work
    target.info[_LOCKED] = set()
    try:
        if school_first:
            _lock_own_school(target)
        yield work
        target.commit()
        _last.commits = count_commits() + 1
    except BaseException:
        target.rollback()
        raise
    finally:
        target.info.pop(_OPEN, None)
        target.info.pop(_LOCKED, None)
        if held := target.info.get(HELD_CONNECTION):
            held.execution_options(**{_BEGIN_IMMEDIATE: False, SCHOOL_LAST: False})  # its next reads take no lock
        _last.ended = time.monotonic()
        _last.took = _last.ended - began
    work._run_afterwards()


def lock_schools(session: Session, ids: Iterable[int | None]) -> None:
    """Lock some schools until the commit, by ascending id, then the platform (None): before any row, all at once.

    A school is locked by its row, without its key (FOR NO KEY UPDATE): a row that only references it does not wait.
    On SQLite a unit of work already excludes every other writer.
    """
    locked: set[int | None] = session.info.get(_LOCKED, set())
    wanted = set(ids) - locked
    if not wanted or session.get_bind().dialect.name != "postgresql":
        return
    schools = wanted - {None}
    if schools:
        root = next(each.class_ for each in Model.registry.mappers if issubclass(each.class_, tenancy.TenantRoot))
        session.execute(select(root.id).where(root.id.in_(schools)).order_by(root.id).with_for_update(key_share=True))
    if None in wanted:
        session.execute(select(func.pg_advisory_xact_lock(PLATFORM_LOCK)))
    locked |= wanted


def count_commits() -> int:
    """Return how many units of work this thread has committed: a request that committed none may be retried."""
    commits: int = getattr(_last, "commits", 0)
    return commits


def _lock_own_school(session: Session) -> None:
    try:
        scope = tenancy.scope_of(session)
    except tenancy.TenancyError:
        return  # every statement will be refused
    if not scope.is_platform and not scope.read_only:
        lock_schools(session, [scope.establishment_id])


def _leave_a_turn() -> None:
    """Pause to let others write, when a job or a command runs transactions in a row and the last one was long.

    Connections that wait for SQLite's write lock poll, in no order: without a pause they might never find it free.
    PostgreSQL queues them.
    """
    if application.is_answering or getattr(_last, "took", 0.0) < _LONG:
        return
    pause = min(_last.took, _LONGEST_TURN) - (time.monotonic() - _last.ended)
    if pause > 0:
        time.sleep(pause)


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Run `action` after the session's unit of work commits, never if it fails: for operations that send a message.

    Raises `RuntimeError` when no unit of work is open.
    """
    work = session.info.get(_OPEN)
    if not isinstance(work, UnitOfWork):
        raise RuntimeError("nothing will be committed: open a unit_of_work()")
    work.after_commit(action)


@contextmanager
def platform_unit_of_work(reason: str, *, schools: Iterable[int | None] = ()) -> Iterator[UnitOfWork]:
    """Open a platform session and a unit of work on it; `reason` says why the action spans schools.

    `schools` are the ids of those whose rows or journal it will write, as far as the caller knows, None for the
    platform itself: they are locked first.
    """
    with tenancy.platform_session(reason) as session, unit_of_work(session) as work:
        lock_schools(session, schools)
        yield work


@contextmanager
def held_connection(session: Session) -> Iterator[Connection]:
    """Keep a session on one connection over several transactions, so that it keeps its temporary tables.

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
    """Commit a transaction that wrote only temporary tables, to keep them.

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
    """Set up SQLite: real transactions, foreign keys, a write-ahead log and a lock timeout; nothing for PostgreSQL."""
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
            connection.connection.cursor().execute(f"PRAGMA busy_timeout={wait}")  # not counted as a statement
            connection.info[_WAITS] = wait
        immediate = connection.get_execution_options().get(_BEGIN_IMMEDIATE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
