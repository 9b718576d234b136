"""Rows prepared aside, then written at once: what makes a transaction of a hundred thousand rows a short one.

A `Staging` holds a session on one connection and fills temporary tables there. No other session sees them or waits
for them: on SQLite they are in a file of their own, so that filling them leaves the single writer free. A unit of work
opened afterwards on the same session moves what they hold by one statement for each table.

The statements go past the tenancy filter, which reads mapped classes alone: each of them names the school of the
session here, and row-level security repeats it.
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
#: The last id that SQLite gave in a table that gives none twice.
_LAST_GIVEN = Table("sqlite_sequence", MetaData(), Column("name", String()), Column("seq", Integer()))


class Staging:
    """The temporary tables of one session, which is of one school."""

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
        """Create a temporary table; the column `id`, if it has one, is its key.

        `unique` is another column by which its rows are found: without an index, SQLite reads the whole for each.
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
        """Add rows to a temporary table, a batch at a time; return how many."""
        pending, added = iter(rows), 0
        while batch := [dict(row) for row in islice(pending, BATCH)]:
            self._send(insert(table), batch)
            added += len(batch)
        return added

    def keep(self) -> None:
        """End the reading that came with the preparation; the temporary tables stay for the unit of work."""
        keep_temporary(self.session)

    def reserve_ids(self, model: type[Any], number: int) -> list[int]:
        """Return numbers for new rows, to which `base` is added when they are written.

        The model gives no id twice (`sqlite_autoincrement`).
        PostgreSQL's sequence gives ids no other session gets, whenever they are written; on SQLite they are counted
        from the last id that was ever given, under the lock.
        """
        if self.on_postgresql:
            series = func.generate_series(1, number).table_valued("value")
            sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
            return list(self._send(select(func.nextval(sequence)).select_from(series)).scalars())
        counter = self._counters.setdefault(model, count(1))
        return list(islice(counter, number))

    def base(self, model: type[Any]) -> int:
        """Return what is added to the reserved ids of a model, inside the unit of work that writes them."""
        if self.on_postgresql:
            return 0
        if model not in self._bases:
            last = select(_LAST_GIVEN.c.seq).where(_LAST_GIVEN.c.name == model.__tablename__)
            self._bases[model] = self._send(last).scalar() or 0
        return self._bases[model]

    # --- Inside the unit of work -----------------------------------------------------------------------------------

    def insert(self, model: type[Any], source: Select[Any]) -> int:
        """Insert what a select on temporary tables returns, columns named as those of the model; return how many."""
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
        """Correct the rows that `on` matches to those of a temporary table, and return how many.

        A row of which a column is not as `same` says is left as it is: another transaction changed it meanwhile.
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
        """Return the id of the school's object that bears a code, as a subquery."""
        table = model.__table__
        return (
            select(table.c.id)
            .where(table.c.establishment_id == self.school, table.c.code == code)
            .correlate_except(table)
            .scalar_subquery()
        )

    def _count(self, statement: Any) -> int:
        """Send what writes; return how many rows it wrote."""
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
    """Hold a session, outside any unit of work, with temporary tables that go at the end."""
    with held_connection(session):
        staged = Staging(session)
        try:
            yield staged
        finally:
            session.rollback()
            staged._drop()
