"""Show a refusal on a settings form: beside its fields, or side by side with what somebody else saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.errors import DomainError
from cpro.core.forms import VersionedForm


def explain(
    form: VersionedForm, refusal: DomainError | None, *, stored: Mapping[str, Any], saved_by: str = ""
) -> list[dict[str, str]]:
    """Blame the form for a refusal; return the fields that differ when somebody else saved meanwhile.

    `stored` are the values as they are now, as the form would show them; `saved_by` says who saved them and when. The
    form then carries the new version: posting it again keeps what was typed, knowingly.
    """
    if refusal is None:
        return []
    if not isinstance(refusal, StaleForm):
        form.blame(refusal)
        return []
    form.version.data = fingerprint(refusal.theirs)
    differing = [
        {
            "label": form[name].label.text,
            "theirs": _shown(form[name], theirs),
            "yours": _shown(form[name], form[name].data),
        }
        for name, theirs in stored.items()
        if (form[name].data or "") != (theirs or "")
    ]
    sentence = (
        refusal.message if differing else "La même chose vient d’être enregistrée : il n’y a plus rien à valider."
    )
    form.form_errors.append(f"{saved_by} : {sentence}" if saved_by else sentence)
    return differing


def _shown(field: Any, value: Any) -> str:
    """Return a value as people read it, « (vide) » for nothing: a field that has its own way says it in `as_text`."""
    if hasattr(field, "as_text"):
        return field.as_text(value) or "(vide)"
    if isinstance(value, bool):
        return "Oui" if value else "Non"
    labels = {choice.value: choice.label for choice in getattr(field, "choices", ())}
    if isinstance(value, list):
        return ", ".join(str(labels.get(each, each)) for each in value) or "(vide)"
    return str(labels.get(value, value)) if value else "(vide)"
