"""The list above a page, which the page's own address tells: two tabs of a browser each keep theirs.

`liste=` holds what was asked of the list, as the list's own address has it, with its page. It is no address: it is read
as the list reads its own, what makes no sense left out, and without it a page stands below the whole list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlencode

from flask import Blueprint, g, request

from cpro.core.lists import ListState

PARAMETER = "liste"
#: Characters in an address: with it a form's is still short enough for what is typed there to be kept (`ParkedForm`).
_LONGEST = 300


def stand_below(blueprint: Blueprint, name: str, *, carries: Callable[[str, Mapping[str, Any]], bool]) -> None:
    """Have the pages of a blueprint tell one another the list above them, in each address that `carries` it.

    `name` is that of the list, which several blueprints may stand below.
    """

    @blueprint.before_request
    def _read() -> None:
        _set(name, request.args.get(PARAMETER, ""))

    @blueprint.url_defaults
    def _carry(endpoint: str, values: dict[str, Any]) -> None:
        query = _query(name)
        if query and carries(endpoint, values):
            values.setdefault(PARAMETER, query)


def show_list(name: str, asked: ListState) -> None:
    """Note the list that this page shows, or leads back to, for the addresses that it writes."""
    _set(name, urlencode(asked.parameters()))


def recall_list(name: str) -> Mapping[str, str]:
    """Return what was asked of the list above this page; nothing of the whole list."""
    return dict(parse_qsl(_query(name)))


def list_address(name: str, base: str) -> str:
    """Return the address of the list above this page, from the list's own one; what makes no sense it leaves out."""
    query = urlencode(recall_list(name))
    return f"{base}?{query}" if query else base


def list_parameters() -> dict[str, str]:
    """Return what the address of this page says of the list above it, for a list or a form of the page itself."""
    query = g.get("list_above", ("", ""))[1]
    return {PARAMETER: query} if query else {}


def _query(name: str) -> str:
    found: tuple[str, str] = g.get("list_above", ("", ""))
    return found[1] if found[0] == name else ""


def _set(name: str, query: str) -> None:
    is_sound = len(quote_plus(query)) <= _LONGEST and "\0" not in unquote_plus(query)  # which no database takes
    g.list_above = (name, query if is_sound else "")
