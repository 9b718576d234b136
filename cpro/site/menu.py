"""The side bar: the lines that a person may follow, and the one of the page they are on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy.exc import SQLAlchemyError

from cpro.core.counts import count_together
from cpro.core.permissions import Permission, Principal
from cpro.core.tenancy import TenancyError
from cpro.core.web.registry import MenuEntry, find_entry, registry
from cpro.site.news.queries import count_new

#: The place under which what is new is counted: no entry of the menu has it.
_NEWS = -1


def list_entries(person: Principal) -> list[MenuEntry]:
    """Return the entries of the menu that a person may follow in the school worked in."""
    return [
        entry
        for entry in registry().menu
        if person.can(entry.permission)
        and not (entry.unless and person.can(entry.unless))
        and (entry.when is None or entry.when())
    ]


@dataclass(frozen=True)
class Menu:
    """The lines of the side bar, and how much is new beside the bell."""

    lines: Sequence[dict[str, Any]] = ()
    #: None for those who have no bell
    news: int | None = None


def read_menu(person: Principal) -> Menu:
    """Return the lines that a person may follow in the school worked in, and what is new; counted in one statement."""
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
    """Return how much waits for a person under each entry, {its place in the menu: count}, and what is new, at `_NEWS`.

    One statement; nothing when it fails.
    """
    asked = {
        (place, part): counted
        for place, entry in enumerate(entries)
        for part, counted in enumerate(entry.waits(person))
    } | {(_NEWS, part): counted for part, counted in enumerate(count_new(person))}
    try:
        found = count_together(asked) if asked else {}
    except (SQLAlchemyError, TenancyError):  # the frame surrounds the pages that say so, too
        return {}
    return {place: sum(found[each] for each in found if each[0] == place) for place, _part in found}
