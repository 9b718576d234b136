"""What a list shows, read from its address: search, filters, order, page; and the addresses of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from cpro.core.parsing import read_page
from cpro.core.validators import fold
from cpro.core.web.screens.parts import AnyFilter, Column, Condition

PAGE_SIZES = (20, 50, 100)
#: Beyond, a list is refined rather than paged through: neither a count nor an offset grows with the table.
MAX_ROWS = 10_000
_LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Listing:
    """The state of a list; whatever an address holds, every field has a sound value."""

    columns: Sequence[Column]
    filters: Sequence[AnyFilter]
    search: str
    chosen: Mapping[str, str]
    sort: str
    descending: bool
    size: int
    page: int
    base: str

    @classmethod
    def read(
        cls, args: Mapping[str, str], *, base: str, columns: Sequence[Column], filters: Sequence[AnyFilter]
    ) -> Listing:
        """Read the parameters of an address; those that make no sense are left out."""
        sortable = {column.key for column in columns if column.sort}
        sort = args.get("tri", "")
        chosen = {each.key: args[each.key][:100] for each in filters if args.get(each.key)}
        return cls(
            columns=columns,
            filters=filters,
            search=args.get("recherche", "").strip()[:_LONGEST_SEARCH],
            chosen=chosen,
            sort=sort if sort in sortable else "",
            descending=args.get("ordre") == "desc",
            size={str(size): size for size in PAGE_SIZES}.get(args.get("lignes", ""), PAGE_SIZES[0]),
            page=read_page(args.get("page"), last=MAX_ROWS // PAGE_SIZES[0]),
            base=base,
        )

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
        return min((self.page - 1) * self.size, MAX_ROWS)

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or a filter hides rows."""
        return bool(self.search or self.chosen)

    def phrase(self) -> str:
        """Return what was asked, as the end of a sentence."""
        parts = [each.phrase(self.chosen[each.key]) for each in self.filters if each.key in self.chosen]
        if self.search:
            parts.append(f"contenant « {self.search} »")
        return ", ".join(parts)

    def url(self, **changes: Any) -> str:
        """Return the address of the list with some parameters changed; None leaves one out."""
        asked: dict[str, Any] = {
            "recherche": self.search or None,
            **self.chosen,
            "tri": self.sort or None,
            "ordre": "desc" if self.descending else None,
            "lignes": self.size if self.size != PAGE_SIZES[0] else None,
            "page": self.page if self.page > 1 else None,
            **changes,
        }
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{self.base}?{query}" if query else self.base

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
