"""Tenancy: one filter decides which school a session may read and write.

Every mapped table declares its kind with one of four mixins: `Owned` (a row of one school), `Shared` (a national
row, or a school's own beside it), `TenantRoot` (the school itself), `PlatformOnly` (no school reads it). A session
is opened on one `Scope`, once; every ORM statement it then sends is restricted to that scope, and a statement that
the filter cannot restrict is refused. Work across schools uses `platform_session`.

The filter cannot see a statement that bypasses the session, on a connection or an engine. `tests/test_tenancy.py`
lists them and `tests/test_architecture_sources.py` names the few files allowed to; on PostgreSQL, row-level security
applies to them too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from sqlalchemy import ColumnElement, Executable, ForeignKey, Table, event, false, inspect, or_, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import (
    LoaderCriteriaOption,
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.orm.exc import ObjectDeletedError
from sqlalchemy.sql.schema import Column, ForeignKeyConstraint
from sqlalchemy.sql.selectable import Select, SelectBase

from cpro.core.clock import utcnow
from cpro.core.locks import limits_of_transaction
from cpro.core.permissions import Permission
from cpro.extensions import application, db

_SCOPE = "cpro_scope"
BULK = "cpro_bulk"  # execution option of the statements of `core.bulk_writes`, which checked their rows
_KEPT = "cpro_kept"  # execution option of the statements of `keep`
#: How many scopes have their criteria kept, and how many statements are kept narrowed to a scope.
_MOST_SCOPES, _MOST_NARROWED = 512, 256
#: Strategies of update and delete to which the filter's criteria apply.
_NARROWED = (None, "auto", "orm")
#: Keys of the statements that name no raw table; they hold tables and classes, never a value.
_checked: set[Any] = set()
_MOST_CHECKED = 500

Mark = TypeVar("Mark")
Kept = TypeVar("Kept", bound=Executable)


class TenancyError(RuntimeError):
    """A statement or a write forbidden by tenancy: a bug in the code, never a user's mistake."""


class ScopeEnded(TenancyError):
    """A statement was sent after the scope's `until`."""


@dataclass(frozen=True)
class Scope:
    """What a session may read and write.

    `establishment_id` is the school, or None for platform work; `diploma_ids` limits an inspector's mandate and
    `until` ends it (`ScopeEnded`); `read_only` refuses every write; `rights` are the reader's permissions, None in
    jobs and commands: `Confidential` rows that require another one are hidden.
    """

    establishment_id: int | None
    diploma_ids: frozenset[int] | None = None
    read_only: bool = False
    until: datetime | None = None
    reason: str = ""
    rights: frozenset[Permission] | None = None

    @property
    def is_platform(self) -> bool:
        """Return whether the scope spans all schools."""
        return self.establishment_id is None


class Owned:
    """Mark a row that belongs to one school."""

    #: the school that owns the row
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"), index=True)


class Shared:
    """Mark a national row (no school), or a school's own row beside the national ones."""

    #: the school that owns the row; NULL for a national row, read-only for schools
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"), index=True)


class TenantRoot:
    """Mark the school itself, visible only to itself."""

    id: Mapped[int] = mapped_column(primary_key=True)


class PlatformOnly:
    """Mark a row of the platform, which no school reads or writes."""


def key_within_school(column: str, table: str, *, name: str, ondelete: str | None = None) -> ForeignKeyConstraint:
    """Return the foreign key to a row of the same school: the database refuses another school's."""
    return ForeignKeyConstraint(
        ["establishment_id", column], [f"{table}.establishment_id", f"{table}.id"], name=name, ondelete=ondelete
    )


class DiplomaScoped:
    """Mark a row about one diploma: a scope limited to some diplomas shows only their rows."""

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of the rows about one of these diplomas; a nested select must not be correlated."""
        raise NotImplementedError


class Confidential:
    """Mark a table with confidential rows, hidden from a scope whose `rights` lack `confidential_to`."""

    confidential_to: ClassVar[Permission]

    @classmethod
    def is_not_confidential(cls) -> ColumnElement[bool]:
        """Return the condition of the rows that can be read without that permission."""
        raise NotImplementedError


KINDS = (Owned, Shared, TenantRoot, PlatformOnly)


def enter(scope: Scope, session: Session | None = None) -> None:
    """Set the session's scope, once for its life.

    Raises `TenancyError` when the session already has another scope: objects of one school must never be found in
    the identity map of another.
    """
    target: Session = session or db.session()
    current = target.info.get(_SCOPE)
    if current is not None and current != scope:
        raise TenancyError("a session keeps the scope it was opened with: use a new one")
    target.info[_SCOPE] = scope


def scope_of(session: Session | None = None) -> Scope:
    """Return the scope of a session, by default the request's. Raises `TenancyError` without one, or `ScopeEnded`."""
    scope = (session or db.session()).info.get(_SCOPE)
    if not isinstance(scope, Scope):
        raise TenancyError("no scope: call tenancy.enter(Scope(…)) or work in tenancy.platform_session(reason)")
    if scope.until is not None and utcnow() >= scope.until:
        raise ScopeEnded("the time of this scope is over")
    return scope


@contextmanager
def platform_session(reason: str) -> Iterator[Session]:
    """Yield a new session that sees every school, closed at the end; `reason` says why it is needed.

    It never commits: to write, use `transactions.platform_unit_of_work`.
    """
    session: Session = db.session.session_factory()
    session.info[_SCOPE] = Scope(None, reason=reason)
    try:
        yield session
    finally:
        session.close()


def refuse_writing(scope: Scope) -> None:
    """Raise `TenancyError` in a read-only scope."""
    if scope.read_only:
        raise TenancyError("this scope is read-only")


# --- Reading -----------------------------------------------------------------------------------------------------


def _narrow(state: ORMExecuteState) -> None:
    """Restrict a statement to the scope of its session, or refuse it."""
    scope = scope_of(state.session)
    if scope.is_platform:
        return
    if state.is_insert and not state.execution_options.get(BULK):
        raise TenancyError("insert(…) bypasses tenancy: use core.bulk_writes.bulk_insert")
    writes = state.is_update or state.is_delete
    if writes:
        refuse_writing(scope)
        _refuse_past_the_filter(state)
    if not state.is_orm_statement or state.is_from_statement:
        raise TenancyError("the tenancy filter does not see this statement: select mapped classes instead")
    if state.is_insert or (state.is_update and state.execution_options.get(BULK)):
        return
    asked = state.statement
    narrow_to = _narrow_kept if _KEPT in asked.get_execution_options() else _narrow_to
    state.statement = narrow_to(asked, scope, writes)
    if not (state.is_relationship_load or state.is_column_load):
        _check_once(asked, state.statement)


def keep(statement: Kept) -> Kept:
    """Return a statement that the process composes once and executes often: it is narrowed once to each scope."""
    return statement.execution_options(**{_KEPT: True})


def _narrow_to(statement: Any, scope: Scope, writes: bool) -> Any:
    return statement.options(*_criteria_of(scope, writes))


#: A scope has all that criteria depend on, rights and mandate included: another one gets another statement.
_narrow_kept = lru_cache(maxsize=_MOST_NARROWED)(_narrow_to)


@lru_cache(maxsize=_MOST_SCOPES)
def _criteria_of(scope: Scope, writes: bool) -> list[LoaderCriteriaOption]:
    """Return the criteria of a scope: the school's rows, the national ones when reading, the diplomas."""
    school, diploma_ids = scope.establishment_id, scope.diploma_ids
    criteria = [
        with_loader_criteria(Owned, lambda cls: cls.establishment_id == school, include_aliases=True),
        with_loader_criteria(
            Shared,
            (lambda cls: cls.establishment_id == school)
            if writes
            else (lambda cls: or_(cls.establishment_id.is_(None), cls.establishment_id == school)),
            include_aliases=True,
        ),
        with_loader_criteria(TenantRoot, lambda cls: cls.id == school, include_aliases=True),
        with_loader_criteria(PlatformOnly, false(), include_aliases=True),
    ]
    for model in _mapped_under(DiplomaScoped) if diploma_ids is not None else ():
        criteria.append(with_loader_criteria(model, model.is_within(sorted(diploma_ids or ())), include_aliases=True))
    for marked in _mapped_under(Confidential):
        if scope.rights is not None and marked.confidential_to not in scope.rights:
            criteria.append(with_loader_criteria(marked, marked.is_not_confidential(), include_aliases=True))
    return criteria


def _refuse_past_the_filter(state: ORMExecuteState) -> None:
    """Refuse an update or delete that criteria cannot restrict, or that would move a row to another school."""
    by_key = isinstance(state.parameters, list) or state.execution_options.get("dml_strategy") not in _NARROWED
    if by_key and not state.execution_options.get(BULK):
        raise TenancyError("update(…) with rows bypasses tenancy: use core.bulk_writes.bulk_update")
    statement: Any = state.statement
    values = (statement._values or ()) if state.is_update else ()
    given = state.parameters if isinstance(state.parameters, dict) else ()
    if any(getattr(column, "key", column) == "establishment_id" for column in (*values, *given)):
        raise TenancyError("a row stays in its school: establishment_id is never updated")


def _mapped_under(mark: type[Mark]) -> Iterator[type[Mark]]:
    """Yield the mapped classes that have a mark, directly or through a shared mixin."""
    for model in mark.__subclasses__():
        if hasattr(model, "__mapper__"):
            yield model
        else:
            yield from _mapped_under(model)


def _check_once(asked: Any, narrowed: Any) -> None:
    """Call `_refuse_raw_tables` on a statement, unless one of the same key passed.

    SQLAlchemy gives two statements one key only where they are the same SQL of the same classes, values apart. It
    computes the narrowed statement's in any case, and keeps it there.
    """
    key = narrowed._generate_cache_key()
    if key is None:  # a statement that SQLAlchemy cannot tell from another
        _refuse_raw_tables(asked)
        return
    if key.key in _checked:
        return
    _refuse_raw_tables(asked)
    if len(_checked) >= _MOST_CHECKED:
        _checked.clear()
    _checked.add(key.key)


def _refuse_raw_tables(statement: Any, enclosing: frozenset[Any] = frozenset()) -> None:
    """Refuse a select, nested ones included, that names a table without its mapped class.

    Criteria apply to mapped classes only: such a table would be read in full. A nested select may name a table of
    the enclosing one (`enclosing`), as `Student.division.has(…)` does: it is then correlated, and reads only the row
    that the criteria allow.
    """
    raw: set[Any] = set()
    mapped: set[Any] = set()
    nested: list[Any] = []
    subject = statement._propagate_attrs.get("plugin_subject")
    if subject is not None:
        mapped.add(subject.mapper.local_table)
    pending = list(statement.get_children())
    while pending:
        element = pending.pop()
        if isinstance(element, SelectBase):
            nested.append(element)
            continue
        entity = element._annotations.get("parententity") if hasattr(element, "_annotations") else None
        if entity is not None:
            mapped.add(entity.mapper.local_table)
        elif isinstance(element, Table):
            raw.add(element)
        elif isinstance(element, Column) and isinstance(element.table, Table):
            raw.add(element.table)
        pending.extend(element.get_children())
    unseen = raw - mapped - (enclosing if mapped and _is_correlated(statement) else frozenset())
    if unseen:
        names = ", ".join(sorted(str(table) for table in unseen))
        raise TenancyError(f"the tenancy filter does not see the table {names} here: use the mapped class")
    for select_inside in nested:
        _refuse_raw_tables(select_inside, enclosing | mapped)


def _is_correlated(statement: Any) -> bool:
    """Return whether a nested select takes its rows of outer tables from the enclosing select, as is usual."""
    if not isinstance(statement, Select):
        return False
    return bool(statement._auto_correlate or statement._correlate or statement._correlate_except is not None)


# --- Writing -----------------------------------------------------------------------------------------------------


def _guard_flush(session: Session, flush_context: UOWTransaction, instances: object) -> None:
    """Stamp new rows with the session's school; refuse to write another school's rows, or in a read-only scope."""
    scope = scope_of(session)
    written = [*session.new, *(obj for obj in session.dirty if session.is_modified(obj)), *session.deleted]
    if not written:
        return
    refuse_writing(scope)
    if scope.is_platform:
        return
    for obj in written:
        _guard_object(obj, scope, is_new=obj in session.new)


def _guard_object(obj: object, scope: Scope, *, is_new: bool) -> None:
    name = type(obj).__name__
    if isinstance(obj, TenantRoot):
        if is_new or inspect(obj).identity != (scope.establishment_id,):
            raise TenancyError("a school can neither create nor change a school but itself")
        return
    if not isinstance(obj, Owned | Shared):
        raise TenancyError(f"{name} is written in a platform session only")
    if is_new and isinstance(obj, Owned):
        _stamp(obj, scope)
    try:
        history = inspect(obj).attrs.establishment_id.load_history()
    except ObjectDeletedError as hidden:  # row-level security hides another school's row even from this comparison
        raise TenancyError(f"{name} is not a row of this school") from hidden
    schools = {*(history.added or ()), *(history.unchanged or ()), *(history.deleted or ())}
    if schools != {scope.establishment_id}:
        raise TenancyError(f"{name} is another school's, or national: it cannot be written from here")


def _stamp(obj: Any, scope: Scope) -> None:
    if obj.establishment_id is None:
        obj.establishment_id = scope.establishment_id


_SETTINGS = ("lock_timeout", "statement_timeout", "plan_cache_mode")
_HOW = ", ".join(f"set_config('{name}', :{name}, true)" for name in _SETTINGS)
_ANNOUNCE_HOW = text(f"SELECT {_HOW}")
_ANNOUNCE = text(f"SELECT {_HOW}, set_config('cpro.scope', :scope, true)")


def _announce_to_database(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Set, on PostgreSQL, the transaction's lock and statement timeouts, its plan mode and its scope.

    Row-level security repeats the filter (migration 0002). A job or a command sends few statements, over many rows:
    each is planned for its values. From the sixth execution of a statement, PostgreSQL may keep a generic plan that
    suits the average school of a large database, and takes a thousand times as long in the largest.
    """
    if connection.dialect.name != "postgresql" or transaction.nested:
        return
    how = limits_of_transaction() | {"plan_cache_mode": "auto" if application.is_answering else "force_custom_plan"}
    scope = session.info.get(_SCOPE)
    if scope is None:  # no scope is set, so row-level security shows nothing
        connection.execute(_ANNOUNCE_HOW, how)
        return
    connection.execute(_ANNOUNCE, how | {"scope": "platform" if scope.is_platform else str(scope.establishment_id)})


event.listen(db.session, "do_orm_execute", _narrow)
event.listen(db.session, "before_flush", _guard_flush)
event.listen(db.session, "after_begin", _announce_to_database)
