"""The side bar: the lines that a person may follow, and the one of the page they are on."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from cpro.core.permissions import Principal
from cpro.core.web.registry import MenuEntry, registry


def list_lines(person: Principal) -> list[dict[str, Any]]:
    """Return the lines of the side bar that a person may follow in the school worked in."""
    entries = [
        entry
        for entry in registry().menu
        if person.can(entry.permission)
        and not (entry.unless and person.can(entry.unless))
        and (entry.when is None or entry.when())
    ]
    current = _current(entries, request.endpoint or "")
    return [
        {"label": entry.label, "url": url_for(entry.endpoint), "icon": entry.icon, "current": entry is current}
        for entry in entries
    ]


def _current(entries: list[MenuEntry], endpoint: str) -> MenuEntry | None:
    """Return the one line that a page belongs to: rather the line that leads to it than one that merely covers it."""
    covering = [entry for entry in entries if _covers(entry, endpoint)]
    leading = [entry for entry in covering if entry.endpoint.partition(".")[0] == endpoint.partition(".")[0]]
    return next(iter(leading or covering), None)


def _covers(entry: MenuEntry, endpoint: str) -> bool:
    blueprint = endpoint.partition(".")[0]
    return endpoint in entry.covers or f"{blueprint}.*" in entry.covers
