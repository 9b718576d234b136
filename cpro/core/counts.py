"""Count rows up to a maximum, several counts in one statement."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from cpro.core.formatting import MoreThan
from cpro.core.tenancy import keep
from cpro.extensions import db

Name = TypeVar("Name", bound=Hashable)

#: Maximum counted, so that a count does not grow with the table.
MOST_COUNTED = 10_000
#: Maximum of the pending items counted beside each line of the menu.
MOST_WAITING = 99


@dataclass(frozen=True)
class Counted:
    """Rows to count: as many as a statement finds, or `MoreThan(most)` when there are more."""

    found: Select[Any]
    most: int = MOST_COUNTED

    @property
    def number(self) -> ScalarSelect[int]:
        """Return the count as a scalar subquery, which stops one row beyond `most`."""
        return select(func.count()).select_from(self.found.limit(self.most + 1).subquery()).scalar_subquery()

    def read(self, number: int) -> int:
        """Return the database's count, as it is displayed."""
        return MoreThan(self.most) if number > self.most else number


@dataclass(frozen=True)
class KeptCounts(Generic[Name]):
    """Several counts asked for often, whose statement is composed once: their values are bound when they are read."""

    asked: Mapping[Name, Counted]

    @cached_property
    def _statement(self) -> Any:
        return keep(_select(self.asked))

    def read(self, values: Mapping[str, Any]) -> dict[Name, int]:
        """Return the counts, like `count_together`, for the values of the bound parameters."""
        return _read(self.asked, self._statement, values)


def count_rows(found: Select[Any], *, most: int = MOST_COUNTED) -> int:
    """Return how many rows a statement finds, bounded like `Counted`."""
    return count_together({"rows": Counted(found, most)})["rows"]


def count_together(asked: Mapping[Name, Counted]) -> dict[Name, int]:
    """Return several counts, read in one statement.

    A statement that fails ends the transaction: a page that can do without the counts may read on.
    """
    return _read(asked, _select(asked), {})


def _select(asked: Mapping[Name, Counted]) -> Any:
    return select(*(each.number for each in asked.values()))


def _read(asked: Mapping[Name, Counted], statement: Any, values: Mapping[str, Any]) -> dict[Name, int]:
    try:
        numbers = db.session.execute(statement, values).one()
    except SQLAlchemyError:
        db.session.rollback()
        raise
    return {name: each.read(number) for (name, each), number in zip(asked.items(), numbers, strict=True)}
