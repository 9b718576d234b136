"""The condition that a column holds one of thousands of values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, Cast, ColumnElement, Integer, any_, func
from sqlalchemy.orm import InstrumentedAttribute

from cpro.extensions import db


def is_among(column: InstrumentedAttribute[Any], values: Iterable[int | str | None]) -> ColumnElement[bool]:
    """Return the condition that an integer or text column is equal to one of these values; None matches nothing.

    On PostgreSQL the values are sent as one tab-separated text, so none of them may contain a tab. Thousands of
    parameters cost PostgreSQL and its driver more than finding the rows, and each different number of parameters
    would be one more statement to plan and cache.
    """
    given = [value for value in values if value is not None]
    if db.engine.dialect.name != "postgresql":
        return column.in_(given)
    array: Any = func.string_to_array("\t".join(map(str, given)), "\t")
    return column == any_(Cast(array, ARRAY(Integer)) if isinstance(column.type, Integer) else array)
