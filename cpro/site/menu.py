"""The side bar: the lines that a person may follow, and the one of the page they are on."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from cpro.core.permissions import Principal
from cpro.core.web.registry import find_entry, registry


def list_lines(person: Principal) -> list[dict[str, Any]]:
    """Return the lines of the side bar that a person may follow in the school worked in."""
    entries = [
        entry
        for entry in registry().menu
        if person.can(entry.permission)
        and not (entry.unless and person.can(entry.unless))
        and (entry.when is None or entry.when())
    ]
    current = find_entry(entries, request.endpoint or "")
    return [
        {"label": entry.label, "url": url_for(entry.endpoint), "icon": entry.icon, "current": entry is current}
        for entry in entries
    ]
