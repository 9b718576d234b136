"""One-line summaries of what an import did, or would do: for its jobs, lists and page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.formatting import plural

_REST = {"unchanged": ("inchangé", "inchangés"), "refused": ("refusé", "refusés")}
_DONE = {
    "created": ("élève créé", "élèves créés"),
    "changed": ("modifié", "modifiés"),
    "deactivated": ("désactivé", "désactivés"),
    "reactivated": ("réactivé", "réactivés"),
    **_REST,
}
_TO_DO = {
    "created": ("élève à créer", "élèves à créer"),
    "changed": ("à modifier", "à modifier"),
    "deactivated": ("à désactiver", "à désactiver"),
    "reactivated": ("à réactiver", "à réactiver"),
    **_REST,
}


def describe_outcome(counts: Mapping[str, Any] | None, *, is_done: bool) -> str:
    """Return a one-line summary of an import, accounts opened included, or « rien à changer »."""
    parts = [summarise(counts, is_done=is_done)] if counts else []
    if counts and (opened := counts.get("accounts_opened")):
        parts.append(plural(opened, "compte d’élève ouvert", "comptes d’élèves ouverts"))
    return ", ".join(part for part in parts if part) or "rien à changer"


def summarise(counts: Mapping[str, Any], *, is_done: bool) -> str:
    """Return the figures of an import in one line, "" when it changes nothing."""
    students, staff = counts["students"], counts["staff"]
    words = _DONE if is_done else _TO_DO
    parts = [plural(students[name], *words[name]) for name in words if students[name]]
    concerned = staff["created"] + staff["changed"] + staff["deactivated"] + staff["reactivated"]
    if concerned:
        parts.append(plural(concerned, "personnel concerné", "personnels concernés"))
    return ", ".join(parts)
