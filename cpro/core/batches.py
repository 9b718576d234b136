"""Read the rows of a long list in batches, within one tenancy scope, without blocking writers.

On PostgreSQL the database keeps a cursor, and the rows show one instant. On SQLite each batch is its own
transaction, which starts from the last row of the previous batch: a slow reader delays no checkpoint of the
database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_

from cpro.core.lists import is_descending, unordered
from cpro.extensions import db

Batch = TypeVar("Batch")
Values = Sequence[Any]
#: Makes a batch from the rows that the database returns; it must keep no reference to their objects.
Reader = Callable[[Sequence[Values]], Batch]


def read_in_batches(
    statement: Select[Any], order: Sequence[Any], read: Reader[Batch], *, first: int, size: int
) -> Iterator[Batch]:
    """Yield what `read` makes of each `size` rows of a statement, in an order whose last column is the rows' id.

    On SQLite the columns of the order follow those of the statement in each row, and a first batch of `first` rows
    precedes the others: the file may not be in memory.
    """
    if db.engine.dialect.name == "sqlite":
        yield from _read_from_row_to_row(statement, order, read, first, size)
        return
    with db.session.execute(statement.order_by(*order).execution_options(yield_per=size)) as found:
        for rows in found.partitions():
            yield read(rows)


def _read_from_row_to_row(
    statement: Select[Any], order: Sequence[Any], read: Reader[Batch], first: int, size: int
) -> Iterator[Batch]:
    keys = [unordered(each) for each in order]
    statement, wanted = statement.add_columns(*keys).order_by(*order), first
    asked = statement.limit(first)
    while rows := db.session.execute(asked).all():
        batch, last = read(rows), rows[-1][-len(keys) :]
        db.session.rollback()  # release the transaction: the next batch may be requested much later, or never
        yield batch
        if len(rows) < wanted:
            return
        asked, wanted = statement.where(_beyond(order, last)).limit(size), size


def _beyond(order: Sequence[Any], place: Values) -> ColumnElement[bool]:
    """Return the condition of the rows that follow a position, on SQLite, which sorts NULL lowest."""
    cases: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for part, value in zip(order, place, strict=True):
        column = unordered(part)
        if not is_descending(part):
            cases.append(and_(*equal, column.is_not(None) if value is None else column > value))
        elif value is not None:
            cases.append(and_(*equal, or_(column < value, column.is_(None))))
        equal.append(column.is_not_distinct_from(value))
    return and_(*_bound(order[0], place[0]), or_(*cases))


def _bound(part: Any, value: Any) -> list[ColumnElement[bool]]:
    """Return the condition that lets an index on the first column start at the right place; `_beyond` does not."""
    if value is None:
        return []
    column = unordered(part)
    if not is_descending(part):
        return [column >= value]
    return [] if getattr(column, "nullable", True) else [column <= value]
