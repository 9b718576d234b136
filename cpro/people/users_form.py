"""What the form of an account offers and reads, from the rules of accounts and the divisions of the school."""

from __future__ import annotations

from collections.abc import Mapping

from wtforms import Form, SelectChoice

from cpro.core.errors import FieldErrors
from cpro.core.permissions import Actor, Role
from cpro.students import queries
from cpro.users.models import Account
from cpro.users.operations import manual


def offer_roles(form: Form, account: Account, *, by: Actor) -> None:
    """Offer the roles that a correction of an account may give it."""
    form["role"].choices = [SelectChoice(role.value, role.label) for role in manual.list_new_roles(account, by)]


def read_divisions(form: Form, values: Mapping[str, str]) -> list[int]:
    """Return the divisions whose codes were typed.

    Raises `FieldErrors` for codes that nobody has, with what is wrong with the other values typed: all at once.
    """
    codes = [part.strip() for part in (form["divisions"].data or "").split(",") if part.strip()]
    found = {code: queries.find_division(code) for code in codes}
    unknown = [f"« {code[:20]} »" for code, division in found.items() if division is None]
    if unknown:
        unknown_codes = f"le code {unknown[0]}" if len(unknown) == 1 else f"les codes {', '.join(unknown[:10])}"
        names = ("last_name", "first_name") if values.get("role") == Role.STUDENT.value else ()  # the pupil's are taken
        typed = {name: text for name, text in values.items() if name not in names}
        raise FieldErrors({**manual.list_errors(typed), "divisions": f"Aucune division ne porte {unknown_codes}."})
    return [division.id for division in found.values() if division is not None]
