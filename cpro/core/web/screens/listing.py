"""The state of a screen's list: what all lists read from their URL, with its columns and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cpro.core.counts import MOST_COUNTED
from cpro.core.lists import ListState
from cpro.core.parsing import read_day
from cpro.core.shown import Condition, Filter
from cpro.core.web.screens.parts import Column

PAGE_SIZES = (20, 50, 100)
#: Maximum counted by a word search, which has to read each row.
_MOST_FOUND = 1_000
_LONGEST_VALUE = 100


@dataclass(frozen=True)
class Listing(ListState):
    """The state of a screen's list."""

    columns: Sequence[Column] = ()
    filters: Sequence[Filter] = ()
    #: sentences about the filters that are invalid, and about valid ones that no row can satisfy
    problems: Sequence[str] = ()
    contradiction: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], base: str, *, columns: Sequence[Column], filters: Sequence[Filter]) -> Listing:
        """Parse the parameters of a URL; invalid filters are left out."""
        sorts = [column.key for column in columns if column.sort]
        lengths = {each.key: _LONGEST_VALUE for each in filters}
        asked = cls.read(args, base, filters=lengths, sorts=sorts, sizes=PAGE_SIZES)
        wrong = {each.key: each.problem(asked.chosen[each.key]) for each in filters if each.key in asked.chosen}
        chosen = {key: text for key, text in asked.chosen.items() if not wrong.get(key)}
        days = {each.key: day for each in filters if each.day and (day := read_day(chosen.get(each.key)))}
        return replace(
            asked,
            columns=columns,
            filters=filters,
            page=1,
            chosen={**chosen, **{key: day.isoformat() for key, day in days.items()}},
            problems=tuple(filter(None, wrong.values())),
            contradiction=_contradiction(filters, days),
        )

    @property
    def most_counted(self) -> int:
        """Return the limit up to which rows are counted; beyond, the list says « plus de »."""
        return _MOST_FOUND if self.search else MOST_COUNTED

    def conditions(self) -> list[Condition]:
        """Return the conditions of the active filters, and those of the filters that are not used (`otherwise`)."""
        found = [each.read(text) for each, text in self._in_use()]
        found += [each.otherwise() for each in self.filters if each.otherwise and each.key not in self.chosen]
        return [condition for condition in found if condition is not None]

    def order(self) -> list[Any]:
        """Return the ORDER BY expressions; empty for the screen's default order."""
        sort = next((column.sort for column in self.columns if column.key == self.sort), ())
        return [part.desc() if self.descending else part for part in sort]

    def phrase(self, *, sorted_too: bool = False) -> str:
        """Return the search and filters as the end of a sentence, optionally with the order."""
        parts = [each.phrase(text) for each, text in self._in_use()]
        parts += [self.sought] if self.search else []
        if sorted_too:
            way = "de la fin au début" if self.descending else "du début à la fin"
            parts += [f"par «\u202f{each.label}\u202f» {way}" for each in self.columns if each.key == self.sort]
        return ", ".join(parts)

    def words(self) -> list[tuple[str, str]]:
        """Return the parts of the search and filters, each with the URL of the list without it."""
        words = []
        for each, text in self._in_use():
            others = {key: value for key, value in self.chosen.items() if key != each.key}
            words.append((each.phrase(text), replace(self, chosen=others).page_url()))
        if self.search:
            words.append((self.sought, replace(self, search="").page_url()))
        return words

    def everything_url(self) -> str:
        """Return the URL of the same list without search or filters."""
        return replace(self, search="", chosen={}).page_url()

    def elsewhere(self, base: str, **changes: Any) -> str:
        """Return another URL of the screen with the parameters and page of the list: for an action on its rows."""
        return replace(self, base=base).url(**changes)

    def export_url(self, base: str) -> str:
        """Return the URL that exports all the rows of the list, on all pages."""
        return replace(self, base=base).page_url(lignes=None)

    def sort_url(self, column: Column) -> str:
        """Return the URL that sorts by a column, in reverse if it is already sorted by it."""
        turned = self.sort == column.key and not self.descending
        return self.page_url(tri=column.key, ordre="desc" if turned else None)

    def aria_sort(self, column: Column) -> str | None:
        """Return the sort state of a column for assistive technology."""
        if self.sort != column.key:
            return None
        return "descending" if self.descending else "ascending"

    def _in_use(self) -> list[tuple[Filter, str]]:
        return [(each, self.chosen[each.key]) for each in self.filters if each.key in self.chosen]


def _contradiction(filters: Sequence[Filter], days: Mapping[str, date]) -> str:
    """Return a sentence if the first day is after the last one, as no row can satisfy both; else ""."""
    first = next((each for each in filters if each.day == "from" and each.key in days), None)
    last = next((each for each in filters if each.day == "until" and each.key in days), None)
    if first is None or last is None or days[first.key] <= days[last.key]:
        return ""
    return (
        f"La date «\u202f{first.label}\u202f» est après la date «\u202f{last.label}\u202f»\u202f: aucune ligne ne "
        "peut répondre aux deux. Échangez-les."
    )
