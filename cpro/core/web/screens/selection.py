"""Select the rows of a screen's list, and their order: its filters, search and sort."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from cpro.core.lists import contains_words
from cpro.core.search import Search, Searched
from cpro.core.web.screens import queries
from cpro.core.web.screens.listing import Listing


@dataclass(frozen=True)
class Selection:
    """The statement that selects the rows of a list, on all pages, and their order, which ends with the id."""

    statement: Select[Any]
    order: Sequence[Any]
    #: returns the sort values of a row by id, if they are not columns of the row
    place_of: Callable[[int], Sequence[Any] | None] | None = None

    @property
    def is_by_name(self) -> bool:
        """Return whether the rows are ordered by their folded names."""
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
    """Return the selection for a list of a model; `numbers` is the column where a search matches numbers, if any.

    `whole` is the condition for the whole search text, such as an e-mail address, in place of its words.
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
        found = found.where(*contains_words(listing.search, *search_keys))
    order = order or [*default_order]
    last = order[-1] if order else model.id
    column = getattr(last, "element", last)  # unwraps a descending one
    if not order or column.key != "id":
        order.append(model.id if column is last else model.id.desc())
    return Selection(found, order)
