"""Count rows no further than people are told, several counts in one statement."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ScalarSelect, Select, func, select

from cpro.core.formatting import MoreThan
from cpro.extensions import db

Name = TypeVar("Name", bound=Hashable)

#: Rows are counted no further: a count does not grow with the table.
MOST_COUNTED = 10_000
#: What waits for somebody is counted no further, beside each line of the menu.
MOST_WAITING = 99


@dataclass(frozen=True)
class Counted:
    """Rows to count: how many a statement finds, `MoreThan` so many where there are more."""

    found: Select[Any]
    most: int = MOST_COUNTED

    @property
    def number(self) -> ScalarSelect[int]:
        """Return the number as a part of a statement, read no further than one beyond `most`."""
        return select(func.count()).select_from(self.found.limit(self.most + 1).subquery()).scalar_subquery()

    def read(self, number: int) -> int:
        """Return the number that the database gave, as people are told it."""
        return MoreThan(self.most) if number > self.most else number


def count_rows(found: Select[Any], *, most: int = MOST_COUNTED) -> int:
    """Return how many rows a statement finds, as `Counted` does."""
    return count_together({"rows": Counted(found, most)})["rows"]


def count_together(asked: Mapping[Name, Counted]) -> dict[Name, int]:
    """Return each of several counts, all read in one statement."""
    numbers = db.session.execute(select(*(each.number for each in asked.values()))).one()
    return {name: each.read(number) for (name, each), number in zip(asked.items(), numbers, strict=True)}
