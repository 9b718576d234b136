"""The condition that a column holds one of thousands of values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, Cast, ColumnElement, Integer, any_, func
from sqlalchemy.orm import InstrumentedAttribute

from cpro.extensions import db


def is_among(column: InstrumentedAttribute[Any], values: Iterable[int | str | None]) -> ColumnElement[bool]:
    """Return the condition that a column of numbers or of texts holds one of these values; None is held by none.

    PostgreSQL takes them as one text, which a tab cuts and so none of them may hold: thousands of parameters cost it
    and its driver more than finding the rows, and each number of them would be a statement to plan and to keep.
    """
    given = [value for value in values if value is not None]
    if db.engine.dialect.name != "postgresql":
        return column.in_(given)
    array: Any = func.string_to_array("\t".join(map(str, given)), "\t")
    return column == any_(Cast(array, ARRAY(Integer)) if isinstance(column.type, Integer) else array)
