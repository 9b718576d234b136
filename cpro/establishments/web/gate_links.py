"""What the gate waits for, as a page shows it beside the button that cannot be used yet."""

from __future__ import annotations

from flask import url_for

from cpro.establishments.gate import missing_particulars
from cpro.establishments.queries import get_current_establishment


def describe_missing() -> list[dict[str, str]]:
    """Return each particular that is missing, with the link to fill it in; an empty list opens the gate."""
    return [
        {
            "text": f"Il manque {each.label} de l’établissement.",
            "link_url": url_for("settings.establishment", _anchor=each.field),
            "link_label": "Compléter",
        }
        for each in missing_particulars(get_current_establishment())
    ]
