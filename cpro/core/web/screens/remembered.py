"""Remember the last search and filters of each list in the session, until sign-out.

A list opened anew offers its last search and filters; the parent list of a page is in the page's URL (`above`).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from flask import session

from cpro.core.lists import ListState

_KEY, _CLOSE = "narrowed", "close_rows"
#: Limits imposed by the cookie's size: number of lists, and characters of each.
_MOST, _LONGEST = 6, 300


def remember_narrowed(name: str, asked: ListState) -> None:
    """Remember the search and filters of a list, if it has any."""
    kept = dict(session.get(_KEY, {}))
    query = urlencode(asked.kept()) if asked.is_narrowed else ""
    if not query or len(query) > _LONGEST or kept.get(name) == query:
        return
    others = [(each, found) for each, found in kept.items() if each != name]
    session[_KEY] = dict([*others, (name, query)][-_MOST:])


def choose_rows(asked: str) -> bool:
    """Return whether rows are compact in every list: as requested now, or else as last requested."""
    if asked in ("serres", "normaux"):
        session[_CLOSE] = asked == "serres"
    return bool(session.get(_CLOSE))


def recall_narrowed(name: str) -> Mapping[str, str]:
    """Return the parameters of the last search and filters of a list."""
    return dict(parse_qsl(session.get(_KEY, {}).get(name, "")))
