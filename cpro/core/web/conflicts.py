"""Show a refusal on a form: beside its fields, or as two columns next to what another person saved.

The form itself knows which fields conflict and which take another person's value (`VersionedForm.reconcile`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.concurrency import StaleForm, knows
from cpro.core.errors import DomainError
from cpro.core.formatting import join_french
from cpro.core.web.forms import KEEP_MINE, KEEP_THEIRS, BaseForm, VersionedForm, choice_name
from cpro.core.web.registry import registry

_JUST_SAVED = (
    "Quelqu’un vient d’enregistrer cette page à l’instant. Rien n’a été écrasé\u202f: relisez ci-dessous, puis validez "
    "à nouveau."
)


def explain(form: VersionedForm, refusal: DomainError | None, *, stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Add the messages of a refusal to the form; return the fields that two people changed, each with both values.

    `stored` are the current values, in the form's representation. Posting the form again saves the value chosen for
    each field.
    """
    if isinstance(refusal, StaleForm):  # another person saved between the comparison and the write
        form.reconcile(stored)
        if not form.clashes:
            form.form_errors.append(_JUST_SAVED)
    elif refusal is not None:
        form.blame(refusal)
    return [_clash(form, name, stored[name]) for name in form.clashes if name in stored]


def describe_kept(form: BaseForm) -> list[str]:
    """Return the sentences that name the fields where the form took another person's value."""
    if not isinstance(form, VersionedForm):
        return []
    by_author: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(form.kept):
        author = _author(form, name) or ("Quelqu’un", "")
        by_author.setdefault(author, []).append(f"«\u202f{form[name].label.text}\u202f»")
    return [
        f"{who} avait changé {join_french(labels)} entre-temps{f' (le {when})' if when else ''}\u202f: "
        f"{'ses valeurs sont gardées' if len(labels) > 1 else 'sa valeur est gardée'}."
        for (who, when), labels in by_author.items()
    ]


def _clash(form: VersionedForm, name: str, theirs: Any) -> dict[str, Any]:
    author = _author(form, name)
    return {
        "label": form[name].label.text,
        "field": form[name].id,
        "name": choice_name(name),
        "theirs": _shown(form[name], theirs),
        "yours": _shown(form[name], form[name].data),
        "saved_by": f"par {author[0]}, le {author[1]}" if author else "entre-temps",
        "keep_theirs": KEEP_THEIRS,
        "keep_mine": KEEP_MINE,
        # Without the values that the form was opened on, we cannot know whether the user changed the field.
        "proposes_theirs": not knows(form.opened_on, name),
    }


def _author(form: VersionedForm, name: str) -> tuple[str, str] | None:
    return registry().saved_by(*form.about, name) if form.about else None


def _shown(field: Any, value: Any) -> str:
    """Return a value as displayed, « (vide) » for an empty one; a field with its own format implements `as_text`."""
    if hasattr(field, "as_text"):
        return field.as_text(value) or "(vide)"
    if isinstance(value, bool):
        return "Oui" if value else "Non"
    labels = {choice.value: choice.label for choice in getattr(field, "choices", None) or ()}
    if isinstance(value, list):
        return ", ".join(str(labels.get(each, each)) for each in value) or "(vide)"
    return str(labels.get(value, value)) if value else "(vide)"
