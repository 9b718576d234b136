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
    "to_confirm": ("sans réponse", "sans réponse"),
}
_TO_DO = {
    "created": ("élève à créer", "élèves à créer"),
    "changed": ("à modifier", "à modifier"),
    "deactivated": ("à désactiver", "à désactiver"),
    "reactivated": ("à réactiver", "à réactiver"),
    **_REST,
    "to_confirm": ("à confirmer", "à confirmer"),
}
_STRUCTURE_DONE = {
    "divisions_created": ("division créée", "divisions créées"),
    "divisions_changed": ("division modifiée", "divisions modifiées"),
    "mefs_created": ("formation (MEF) créée", "formations (MEF) créées"),
    "mefs_changed": ("formation (MEF) modifiée", "formations (MEF) modifiées"),
}
_STRUCTURE_TO_DO = {
    "divisions_created": ("division à créer", "divisions à créer"),
    "divisions_changed": ("division à modifier", "divisions à modifier"),
    "mefs_created": ("formation (MEF) à créer", "formations (MEF) à créer"),
    "mefs_changed": ("formation (MEF) à modifier", "formations (MEF) à modifier"),
}


def get_figures(counts: Mapping[str, Any], family: str) -> dict[str, int]:
    """Return the figures of one family; lines with an open question are counted apart from those refused."""
    figures = dict(counts[family])
    to_confirm = counts.get("to_confirm", {}).get(family, 0)  # absent from the figures of earlier imports
    return {**figures, "refused": figures["refused"] - to_confirm, "to_confirm": to_confirm}


def describe_outcome(counts: Mapping[str, Any] | None, *, is_done: bool) -> str:
    """Return a one-line summary of an import, accounts opened included, or « rien à changer »."""
    parts = [summarise(counts, is_done=is_done)] if counts else []
    if counts and (opened := counts.get("accounts_opened")):
        parts.append(plural(opened, "compte d’élève ouvert", "comptes d’élèves ouverts"))
    return ", ".join(part for part in parts if part) or "rien à changer"


def summarise(counts: Mapping[str, Any], *, is_done: bool) -> str:
    """Return the figures of an import in one line, "" when it changes nothing."""
    students, staff = get_figures(counts, "students"), counts["staff"]
    words = _DONE if is_done else _TO_DO
    parts = [plural(students[name], *words[name]) for name in words if students[name]]
    concerned = staff["created"] + staff["changed"] + staff["deactivated"] + staff["reactivated"]
    if concerned:
        parts.append(plural(concerned, "personnel concerné", "personnels concernés"))
    structure = counts.get("structure", {})  # absent from the figures of earlier imports
    forms = _STRUCTURE_DONE if is_done else _STRUCTURE_TO_DO
    parts += [plural(structure[name], *forms[name]) for name in forms if structure.get(name)]
    return ", ".join(parts)
