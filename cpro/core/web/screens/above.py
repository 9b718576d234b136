"""The parent list of a page, carried in the page's own URL, so that two tabs of a browser each keep theirs.

`liste=` contains the parameters of the list, as in the list's own URL, with its page. It is not a URL: it is parsed as
the list parses its own, invalid parameters are ignored, and without it the parent is the whole list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlencode

from flask import Blueprint, g, request

from cpro.core.lists import ListState

PARAMETER = "liste"
#: The list of another screen, to return to from this page: that of a pupil, on the page of their account.
OTHER = "autre_liste"
#: The boxes that a list shows ticked: ids, or `WHOLE`. In the URL of a page that its ticked rows lead to, `WHOLE` or
#: `SOME`, whose ids that page knows.
TICKED, WHOLE, SOME = "coches", "tous", "choisies"
#: The action chosen for them.
CHOSEN = "action"
#: Maximum length: with it, a form's URL is still short enough for its input to be kept (`ParkedForm`).
_LONGEST = 300


def stand_below(blueprint: Blueprint, *names: str, carries: Callable[[str, Mapping[str, Any]], bool]) -> None:
    """Make the pages of a blueprint pass on their parent list, in each URL that `carries` it.

    `names` are the lists that may be the parent, each of which may be that of several blueprints.
    """

    @blueprint.before_request
    def _read() -> None:
        _set(names, request.args.get(PARAMETER, ""))

    @blueprint.url_defaults
    def _carry(endpoint: str, values: dict[str, Any]) -> None:
        query = next(filter(None, map(_query, names)), "")
        if query and carries(endpoint, values):
            values.setdefault(PARAMETER, query)


def show_list(name: str, asked: ListState, *, ticked: str = "", action: str = "") -> None:
    """Note the list that this page shows, or returns to, for the URLs in it; `ticked` is `WHOLE` or `SOME`."""
    _set((name,), urlencode(asked.parameters(**{TICKED: ticked, CHOSEN: action})))


def recall_list(name: str) -> Mapping[str, str]:
    """Return the parameters of the parent list; empty for the whole list."""
    return dict(parse_qsl(_query(name)))


def list_address(name: str, base: str) -> str:
    """Return the URL of the parent list, from the list's base URL; the list ignores invalid parameters."""
    query = urlencode({each: value for each, value in recall_list(name).items() if each not in (TICKED, CHOSEN)})
    return f"{base}?{query}" if query else base


def is_from_boxes(name: str) -> bool:
    """Return whether rows ticked in the parent list led to this page."""
    return TICKED in recall_list(name)


def ticked_list_address(name: str, base: str, ids: Sequence[int]) -> str:
    """Return the URL of the parent list with the rows ticked again that led to this page, if some did."""
    asked = recall_list(name)
    if TICKED not in asked:
        return list_address(name, base)
    ticked = WHOLE if asked[TICKED] == WHOLE else ",".join(map(str, ids))
    return f"{base}?{urlencode({**asked, TICKED: ticked})}"


def at_row(address: str, row_id: int) -> str:
    """Return the URL of a list that scrolls to one of its rows, and has the row marked."""
    return f"{address}#{row_anchor(row_id)}"


def row_anchor(row_id: int) -> str:
    """Return the id of a row of a list in its page."""
    return f"ligne-{row_id}"


def list_parameters() -> dict[str, str]:
    """Return the parameter for the parent list in this page's URL, for a list or a form of the page itself."""
    query = g.get("list_above", ((), ""))[1]
    return {PARAMETER: query} if query else {}


def cross_over() -> dict[str, Any]:
    """Return the parameters of a link to a row of another screen: its list, if one came from it, and this page's."""
    passed = {PARAMETER: request.args.get(OTHER, ""), OTHER: g.get("list_above", ((), ""))[1]}
    return {name: query for name, query in passed.items() if query and _is_sound(query)}


def _query(name: str) -> str:
    found: tuple[Collection[str], str] = g.get("list_above", ((), ""))
    return found[1] if name in found[0] else ""


def _set(names: Collection[str], query: str) -> None:
    g.list_above = (names, query if _is_sound(query) else "")


def _is_sound(query: str) -> bool:
    return len(quote_plus(query)) <= _LONGEST and "\0" not in unquote_plus(query)  # NUL: no database accepts it
