"""Which rows a list of a screen shows, and in which order: its filters, its search, its sort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from cpro.core.lists import hold_words
from cpro.core.search import Search, Searched
from cpro.core.web.screens import queries
from cpro.core.web.screens.listing import Listing


@dataclass(frozen=True)
class Selection:
    """The statement of the rows that a list shows, all of them, and their order, the id last."""

    statement: Select[Any]
    order: Sequence[Any]
    #: the values by which a row is ordered, where they are not the row's own
    place_of: Callable[[int], Sequence[Any] | None] | None = None

    @property
    def is_by_name(self) -> bool:
        """Return whether the rows stand by their folded names."""
        first = self.order[0]
        return bool(getattr(getattr(first, "element", first), "key", "") == "search_key")


def select_listed(
    model: type[Any],
    listing: Listing,
    *,
    search_keys: Sequence[Any],
    numbers: Any,
    whole: Any = None,
    default_order: Sequence[Any],
) -> Selection:
    """Return what a list of a model shows; `numbers` is the column where a search looks for numbers, if any.

    `whole` is the condition that the text sought stands for as a whole, such as an address, in place of its words.
    """
    found, order = queries.select_rows(model, listing.conditions()), listing.order()
    if whole is not None:
        found = found.where(whole)
    elif listing.search and search_keys and issubclass(model, Searched):
        search = Search(model, listing.search, numbers)
        if not order:
            ranked, order = search.rank(found)
            return Selection(ranked, order, search.place_of)
        found = found.where(*search.conditions())
    elif search_keys:
        found = found.where(*hold_words(listing.search, *search_keys))
    order = order or [*default_order]
    last = order[-1] if order else model.id
    column = getattr(last, "element", last)  # of one that goes down
    if not order or column.key != "id":
        order.append(model.id if column is last else model.id.desc())
    return Selection(found, order)
