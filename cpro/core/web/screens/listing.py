"""The state of a generated list: that of any list, with the columns and the filters of a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cpro.core.lists import ListState
from cpro.core.validators import fold
from cpro.core.web.screens.parts import AnyFilter, Column, Condition

PAGE_SIZES = (20, 50, 100)
#: Beyond, a list is refined rather than paged through: neither a count nor an offset grows with the table.
MAX_ROWS = 10_000
_LONGEST_FILTER = 100


@dataclass(frozen=True)
class Listing(ListState):
    """The state of the list of a screen."""

    columns: Sequence[Column] = ()
    filters: Sequence[AnyFilter] = ()

    @classmethod
    def read(  # type: ignore[override]
        cls, args: Mapping[str, str], *, base: str, columns: Sequence[Column], filters: Sequence[AnyFilter]
    ) -> Listing:
        """Read the parameters of an address; those that make no sense are left out."""
        asked = super().read(
            args,
            base,
            filters={each.key: _LONGEST_FILTER for each in filters},
            sorts=[column.key for column in columns if column.sort],
            sizes=PAGE_SIZES,
        )
        page = min(asked.page, MAX_ROWS // PAGE_SIZES[0])
        return replace(asked, page=page, after=0, before=0, columns=columns, filters=filters)

    @property
    def words(self) -> list[str]:
        """Return the words sought, folded as the search keys are."""
        return fold(self.search).split()

    def conditions(self) -> list[Condition]:
        """Return the conditions of the filters chosen."""
        found = (each.read(self.chosen[each.key]) for each in self.filters if each.key in self.chosen)
        return [condition for condition in found if condition is not None]

    def order(self) -> list[Any]:
        """Return what the database orders by; empty for the screen's own order."""
        for column in self.columns:
            if column.key == self.sort:
                return [part.desc() if self.descending else part for part in column.sort]
        return []

    @property
    def offset(self) -> int:
        """Return how many rows stand before the page."""
        return min(super().offset, MAX_ROWS)

    def phrase(self) -> str:
        """Return what was asked, as the end of a sentence."""
        parts = [each.phrase(self.chosen[each.key]) for each in self.filters if each.key in self.chosen]
        if self.search:
            parts.append(f"contenant « {self.search} »")
        return ", ".join(parts)

    def everything_url(self) -> str:
        """Return the address of the same list without search nor filter."""
        return self.url(recherche=None, page=None, **dict.fromkeys(self.chosen))

    def export_url(self, base: str) -> str:
        """Return the address that exports what the list shows."""
        query = self.url(page=None, lignes=None).partition("?")[2]
        return f"{base}?{query}" if query else base

    def action_url(self, base: str) -> str:
        """Return the address that acts on ticked rows, and leads back to the list as it is."""
        query = self.url().partition("?")[2]
        return f"{base}?{query}" if query else base

    def sort_url(self, column: Column) -> str:
        """Return the address that sorts by a column, the other way round when it already does."""
        turned = self.sort == column.key and not self.descending
        return self.url(tri=column.key, ordre="desc" if turned else None, page=None)

    def aria_sort(self, column: Column) -> str | None:
        """Return the state of a column for assistive technology."""
        if self.sort != column.key:
            return None
        return "descending" if self.descending else "ascending"
