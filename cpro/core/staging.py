"""Prepare rows in temporary tables, then write them at once: a hundred thousand rows take a short transaction.

A `Staging` keeps a session on one connection and fills temporary tables there. No other session sees them or waits
for them: on SQLite they are in a separate file, so that filling them does not take the write lock. A unit of work
opened afterwards on the same session moves their content with one statement per table.

These statements bypass the tenancy filter, which only handles mapped classes: each one filters on the session's
school itself, and row-level security checks it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.types import TypeEngine

from cpro.core import tenancy
from cpro.core.transactions import held_connection, keep_temporary

#: Rows sent at once to a temporary table.
BATCH = 2000
#: The last id that SQLite allocated in an AUTOINCREMENT table.
_LAST_GIVEN = Table("sqlite_sequence", MetaData(), Column("name", String()), Column("seq", Integer()))


class Staging:
    """The temporary tables of a session limited to one school."""

    def __init__(self, session: Session) -> None:
        school = tenancy.scope_of(session).establishment_id
        if school is None:
            raise tenancy.TenancyError("rows are staged for one school")
        self.session, self.school = session, school
        self.on_postgresql = session.get_bind().dialect.name == "postgresql"
        self._metadata = MetaData()
        self._counters: dict[type[Any], count[int]] = {}
        self._bases: dict[type[Any], int] = {}

    def table(self, name: str, unique: str = "", /, **columns: TypeEngine[Any]) -> Table:
        """Create a temporary table; its column `id`, if any, is the primary key.

        `unique` is another column used to look up its rows: without an index, SQLite would scan the table for each.
        """
        made = Table(
            f"staged_{len(self._metadata.tables)}_{name}",
            self._metadata,
            *(
                Column(
                    each,
                    kind,
                    primary_key=each == "id",
                    unique=each == unique,
                    nullable=each != "id",
                    autoincrement=False,
                )
                for each, kind in columns.items()
            ),
            prefixes=["TEMPORARY"],
        )
        self._send(CreateTable(made))
        return made

    def fill(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add rows to a temporary table, in batches; return how many."""
        pending, added = iter(rows), 0
        while batch := [dict(row) for row in islice(pending, BATCH)]:
            self._send(insert(table), batch)
            added += len(batch)
        return added

    def keep(self) -> None:
        """End the read transaction of the preparation; the temporary tables are kept for the unit of work."""
        keep_temporary(self.session)

    def reserve_ids(self, model: type[Any], number: int) -> list[int]:
        """Return ids for new rows, to which `base` is added when they are written.

        The model never reuses an id (`sqlite_autoincrement`). On PostgreSQL the sequence allocates ids that no other
        session gets, whenever they are written; on SQLite they are relative to the last id ever allocated, read
        under the write lock.
        """
        if self.on_postgresql:
            series = func.generate_series(1, number).table_valued("value")
            sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
            return list(self._send(select(func.nextval(sequence)).select_from(series)).scalars())
        counter = self._counters.setdefault(model, count(1))
        return list(islice(counter, number))

    def base(self, model: type[Any]) -> int:
        """Return the offset of a model's reserved ids; called inside the unit of work that writes them."""
        if self.on_postgresql:
            return 0
        if model not in self._bases:
            last = select(_LAST_GIVEN.c.seq).where(_LAST_GIVEN.c.name == model.__tablename__)
            self._bases[model] = self._send(last).scalar() or 0
        return self._bases[model]

    # --- Inside the unit of work -----------------------------------------------------------------------------------

    def insert(self, model: type[Any], source: Select[Any]) -> int:
        """Insert a select on temporary tables, whose columns are named as the model's; return the row count."""
        table = model.__table__
        named = {column.name: column for column in source.selected_columns}
        if "establishment_id" in named or not {*self._metadata.tables.values()} & {*source.columns_clause_froms}:
            raise tenancy.TenancyError("what is inserted comes from a temporary table, and the school is stamped here")
        stamped = source.add_columns(literal(self.school).label("establishment_id"))
        return self._count(insert(table).from_select([*named, "establishment_id"], stamped))

    def update(
        self,
        model: type[Any],
        on: ColumnElement[bool],
        values: Mapping[str, Any],
        same: Mapping[str, Any] | None = None,
    ) -> int:
        """Update the rows that `on` matches with those of a temporary table; return how many.

        A row with a column that differs from `same` is left unchanged: another transaction has modified it
        meanwhile.
        """
        table = model.__table__
        unchanged = [table.c[name].is_not_distinct_from(value) for name, value in (same or {}).items()]
        return self._count(
            update(table).where(table.c.establishment_id == self.school, on, *unchanged).values(dict(values))
        )

    def delete(self, model: type[Any], staged: Table, *conditions: ColumnElement[bool], key: str = "id") -> int:
        """Delete the rows whose `key` is an `id` of a temporary table, under some conditions; return how many."""
        table = model.__table__
        return self._count(
            delete(table).where(
                table.c.establishment_id == self.school, table.c[key].in_(select(staged.c.id)), and_(True, *conditions)
            )
        )

    def id_of_code(self, model: type[Any], code: ColumnElement[Any]) -> Any:
        """Return the id of the school's object with a code, as a subquery."""
        table = model.__table__
        return (
            select(table.c.id)
            .where(table.c.establishment_id == self.school, table.c.code == code)
            .correlate_except(table)
            .scalar_subquery()
        )

    def _count(self, statement: Any) -> int:
        """Execute a write statement; return how many rows it wrote."""
        written: int = self._send(statement.execution_options(preserve_rowcount=True)).rowcount
        return written

    def _send(self, statement: Any, parameters: Sequence[Mapping[str, Any]] | None = None) -> Any:
        return self.session.connection().execute(statement, parameters)

    def _drop(self) -> None:
        for table in self._metadata.tables.values():
            self._send(DropTable(table, if_exists=True))
        keep_temporary(self.session)


@contextmanager
def staging(session: Session) -> Iterator[Staging]:
    """Yield a `Staging` of the session, outside any unit of work; its temporary tables are dropped at the end."""
    with held_connection(session):
        staged = Staging(session)
        try:
            yield staged
        finally:
            session.rollback()
            staged._drop()
