"""Queries of the generated screens: rows of any mapped table, through the tenant filter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql.base import ExecutableOption

from cpro.core.counts import Counted
from cpro.extensions import db

Options = Sequence[ExecutableOption]


def list_rows(model: type[Any], ids: Collection[int | None], options: Options = ()) -> Sequence[Any]:
    """Return the rows of some ids; ids that do not exist, or are another school's, are absent."""
    return db.session.scalars(select(model).where(model.id.in_(ids)).options(*options)).all()


def list_ids(statement: Select[Any], *, most: int) -> list[int]:
    """Return the ids of the first rows of a list."""
    (model,) = (each["entity"] for each in statement.column_descriptions)
    return list(db.session.scalars(statement.with_only_columns(model.id).limit(most)))


def select_rows(model: type[Any], conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the statement of a list, without an order."""
    return select(model).where(*conditions)


def read_page(statement: Select[Any], listed: Select[Any], *, most: int) -> tuple[int, list[Any]]:
    """Return the number of rows `listed`, or more than `most`, and the rows of one page."""
    (model,) = (each["entity"] for each in statement.column_descriptions)
    total = Counted(listed.with_only_columns(model.id), most)
    rows, (number,) = read_beside(statement, [total.number])
    return total.read(number), rows


def read_beside(statement: Select[Any], beside: Sequence[ColumnElement[Any]]) -> tuple[list[Any], Sequence[Any]]:
    """Return the rows of one page, and the values selected beside them.

    One statement returns both, except for an empty page, which has no row to contain the values.
    """
    found = db.session.execute(statement.add_columns(*beside)).all()
    values = found[0][1:] if found else db.session.execute(select(*beside)).one()
    return [row[0] for row in found], values


def order_by_words(model: type[Any], key: Any, other: type[Any], words: str) -> tuple[Any, Any]:
    """Return the expressions that order rows by the label of their related row; rows without one are last.

    No index covers it: a page reads all the rows of the list, which are few.
    """
    named = aliased(other)
    found = select(getattr(named, words)).where(named.id == key).correlate(model).scalar_subquery()
    return case((key.is_(None), 1), else_=0), func.coalesce(found, "")


def list_codes(model: type[Any]) -> list[tuple[str, str]]:
    """Return the code and label of the rows of a small table, ordered by code."""
    return _pairs(select(model.code, model.label).order_by(model.code, model.id))


def name_rows(model: type[Any], words: str) -> list[tuple[str, str]]:
    """Return the code and label (`words`) of the rows of a small table, ordered by label."""
    shown = getattr(model, words)
    return _pairs(select(model.code, shown).order_by(shown, model.id))


def _pairs(statement: Select[Any]) -> list[tuple[str, str]]:
    return [(code, words) for code, words in db.session.execute(statement)]
