"""The pages of Paramètres, one module a tab; Établissement, Transferts and Logo share the blueprint `settings`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

bp = Blueprint("settings", __name__)


def describe_changes(form: Any, changes: dict[str, Any]) -> str:
    """Return the sentence that says which fields of a form were saved."""
    if not changes:
        return "Rien n’a changé : tout était déjà enregistré ainsi."
    labels = ", ".join(form[name].label.text for name in changes)
    return f"Enregistré : {labels}."
