"""Where somebody stood in each list of a screen, kept in their session until they sign out.

A page below a list leads back to it as it was left, and to the rows beside; a list opened anew offers its last filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from flask import session

from cpro.core.lists import ListState

_KEY, _CLOSE = "lists", "close_rows"
#: What a cookie holds: so many lists, none of an address longer.
_MOST, _LONGEST = 6, 300


def remember(name: str, asked: ListState) -> None:
    """Keep the address of a list, and its last search and filters once it has some."""
    kept = dict(session.get(_KEY, {}))
    query = urlencode(asked.parameters())
    narrowed = urlencode(asked.kept()) if asked.is_narrowed else kept.get(name, ["", ""])[1]
    if max(len(query), len(narrowed)) > _LONGEST or kept.get(name) == [query, narrowed]:
        return
    others = [(each, found) for each, found in kept.items() if each != name]
    if query or narrowed or name in kept:
        session[_KEY] = dict([*others, (name, [query, narrowed])][-_MOST:])


def choose_rows(asked: str) -> bool:
    """Return whether rows are close together in every list: as somebody asks now, or else asked last."""
    if asked in ("serres", "normaux"):
        session[_CLOSE] = asked == "serres"
    return bool(session.get(_CLOSE))


def recall(name: str) -> Mapping[str, str]:
    """Return the parameters with which a list was left."""
    return dict(parse_qsl(session.get(_KEY, {}).get(name, ["", ""])[0]))


def address_of(name: str, base: str) -> str:
    """Return the address of a list as it was left."""
    query = urlencode(recall(name))
    return f"{base}?{query}" if query else base


def recall_narrowed(name: str) -> Mapping[str, str]:
    """Return the parameters of the last search and filters of a list."""
    return dict(parse_qsl(session.get(_KEY, {}).get(name, ["", ""])[1]))
