"""Show a refusal on a settings form: beside its fields, or side by side with what somebody else saved."""

from __future__ import annotations

from collections.abc import Mapping

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.errors import DomainError
from cpro.core.forms import VersionedForm


def explain(
    form: VersionedForm, refusal: DomainError | None, *, stored: Mapping[str, str], saved_by: str = ""
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
    form.form_errors.append(f"{saved_by} : {refusal.message}" if saved_by else refusal.message)
    form.version.data = fingerprint(stored)
    return [
        {"label": form[name].label.text, "theirs": theirs or "(vide)", "yours": form[name].data or "(vide)"}
        for name, theirs in stored.items()
        if (form[name].data or "") != theirs
    ]
