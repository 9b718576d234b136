"""Validate the codes chosen for a student, a division and a course against the school's."""

from __future__ import annotations

from collections.abc import Mapping

from cpro.core.errors import DomainError
from cpro.core.validators import normalise_mef, read_line
from cpro.students.models import Division
from cpro.students.queries import find_mef, find_typed_division


def clean_division_of(values: Mapping[str, str], errors: dict[str, str]) -> Division | None:
    """Return the division whose code is under `division`; None for a blank code, or, with an error, an unknown one."""
    code = read_line(values, "division", 8, errors)
    division = find_typed_division(code) if code else None
    if code and division is None and "division" not in errors:
        errors["division"] = (
            f"Aucune division ne porte le code «\u202f{code}\u202f»\u202f: choisissez dans la liste proposée."
        )
    return division


def clean_course(text: str, errors: dict[str, str], *, own: str = "") -> str:
    """Return the code of a course of the school's list, or "" with an error in `errors`; the current `own` is kept.

    An unlisted code would prepare for no diploma, and a typing error would look like a course.
    """
    try:
        code = normalise_mef(text or "")
    except DomainError as refusal:
        errors["mef_code"] = refusal.message
        return ""
    if code and code != own and find_mef(code) is None:
        errors["mef_code"] = (
            f"La formation {code} n’est pas dans votre liste\u202f: ajoutez-la d’abord sous "
            "«\u202fFormations (MEF)\u202f»."
        )
        return ""
    return code
