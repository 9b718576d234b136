"""The side bar: the entries that a person may follow, and the current page's entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import request, url_for
from sqlalchemy.exc import SQLAlchemyError

from cpro.core.counts import KeptCounts
from cpro.core.permissions import Permission, Principal
from cpro.core.tenancy import TenancyError
from cpro.core.web.registry import MenuEntry, find_entry, registry
from cpro.site.news.queries import bind_news, count_new

#: The key under which news is counted: no menu entry has it.
_NEWS = -1


def list_entries(person: Principal) -> list[MenuEntry]:
    """Return the menu entries that a person may follow in the current school."""
    return [
        entry
        for entry in registry().menu
        if person.can(entry.permission)
        and not (entry.unless and person.can(entry.unless))
        and (entry.when is None or entry.when())
    ]


@dataclass(frozen=True)
class Menu:
    """The entries of the side bar, and the number beside the bell."""

    lines: Sequence[dict[str, Any]] = ()
    #: None for roles that have no bell
    news: int | None = None


def read_menu(person: Principal) -> Menu:
    """Return the menu entries of a person in the current school, and the number of news; counted in one statement."""
    entries = list_entries(person)
    current = find_entry(entries, request.endpoint or "")
    waiting = _count_waiting(person, entries)
    lines = [
        {
            "label": entry.label,
            "url": url_for(entry.endpoint),
            "icon": entry.icon,
            "current": entry is current,
            "waiting": waiting.get(place, 0),
        }
        for place, entry in enumerate(entries)
    ]
    return Menu(lines, waiting.get(_NEWS, 0) if person.can(Permission.NEWS_READ) else None)


def _count_waiting(person: Principal, entries: Sequence[MenuEntry]) -> Mapping[int, int]:
    """Return how many items wait for a person under each entry, {its place in the menu: count}, and the news, at
    `_NEWS`.

    One statement; an empty result when it fails.
    """
    counts = _compose(person.role.permissions, tuple(entries))
    try:
        found = counts.read(bind_news(person)) if counts.asked else {}
    except (SQLAlchemyError, TenancyError):  # the frame also surrounds the pages that report these errors
        return {}
    return {place: sum(found[each] for each in found if each[0] == place) for place, _part in found}


@lru_cache(maxsize=64)
def _compose(rights: frozenset[Permission], entries: tuple[MenuEntry, ...]) -> KeptCounts[tuple[int, int]]:
    """Return the counts of some entries and of the news, for people of some rights.

    Kept, as composing their statement takes a tenth of a page: it holds no value of a person, a school or a moment.
    """
    waiting = [(place, counted) for place, entry in enumerate(entries) for counted in entry.waits(rights)]
    waiting += [(_NEWS, counted) for counted in count_new(rights)]
    return KeptCounts({(place, part): counted for part, (place, counted) in enumerate(waiting)})
