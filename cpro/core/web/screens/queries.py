"""What the generated screens read: rows of any mapped table, through the filter of the school."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.sql.base import ExecutableOption

from cpro.extensions import db

Options = Sequence[ExecutableOption]


def find_row(model: type[Any], row_id: int, options: Options) -> Any | None:
    """Return a row with what `options` load of it, or None."""
    return db.session.scalars(select(model).where(model.id == row_id).options(*options)).one_or_none()


def get_row(model: type[Any], row_id: int) -> Any | None:
    """Return a row alone, or None: as Flask-Admin reads the row of an address."""
    return db.session.get(model, row_id)


def list_rows(model: type[Any], ids: Collection[int | None], options: Options) -> Sequence[Any]:
    """Return the rows of some ids; an id that is nobody's, or another school's, has none."""
    return db.session.scalars(select(model).where(model.id.in_(ids)).options(*options)).all()


def hold_word(columns: Sequence[Any], word: str) -> ColumnElement[bool]:
    """Return the condition that a word stands in one of some columns."""
    return or_(*(column.contains(word, autoescape=True) for column in columns))


def select_rows(
    model: type[Any], conditions: Sequence[ColumnElement[bool]], order: Sequence[Any], options: Options
) -> Select[Any]:
    """Return the statement of a list, in an order that its last key, the id, makes complete."""
    return select(model).where(*conditions).options(*options).order_by(*order, model.id)


def read_page(statement: Select[Any], *, size: int, offset: int) -> Sequence[Any]:
    """Return one page of a list."""
    return db.session.scalars(statement.limit(size).offset(offset)).all()


def read_all(statement: Select[Any]) -> Iterator[Any]:
    """Yield every row of a list, a thousand at a time."""
    yield from db.session.scalars(statement.execution_options(yield_per=1000))


def count_rows(model: type[Any], conditions: Sequence[ColumnElement[bool]], *, most: int) -> int:
    """Return how many rows are listed, counting no further than `most`."""
    counted = select(model.id).where(*conditions).limit(most).subquery()
    return db.session.scalar(select(func.count(counted.c.id))) or 0
