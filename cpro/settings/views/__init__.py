"""The pages of Paramètres, one module per tab; Établissement, Transferts and Logo share the blueprint `settings`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from wtforms import RadioField

bp = Blueprint("settings", __name__)


def describe_changes(form: Any, changes: dict[str, Any]) -> str:
    """Return the sentence that lists the saved fields of a form.

    A question is shown with its answer: its label alone may read as a statement and mean the opposite.
    """
    if not changes:
        return "Rien n’a changé : tout était déjà enregistré ainsi."
    fields = [_describe_field(form[name]) for name in changes]
    between = "\u202f; " if any("," in each or ":" in each for each in fields) else ", "
    return f"Enregistré : {between.join(fields)}."


def _describe_field(field: Any) -> str:
    if not isinstance(field, RadioField):
        return str(field.label.text)
    answer = next((option.label.text for option in field if option.checked), "")
    return f"«\u202f{field.label.text}\u202f»\u202f: {answer}" if answer else f"«\u202f{field.label.text}\u202f»"
