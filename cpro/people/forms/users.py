"""The form of an account: its fields, choices and parsing, from the rules of accounts and the school's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from markupsafe import Markup
from wtforms import EmailField, Form, SelectChoice, SelectField, StringField

from cpro.core.errors import FieldErrors
from cpro.core.permissions import Actor, Permission, role_can
from cpro.core.web.choices import CodesField
from cpro.core.web.forms import VersionedForm
from cpro.establishments.queries import get_current_establishment
from cpro.students import queries
from cpro.students.accounts.queries import describe_student, list_students_without_account
from cpro.users.models import Account
from cpro.users.operations import manual
from cpro.users.operations.manual import CIVILITIES
from cpro.users.roles import MANUAL_ROLES

_STUDENTS_OFFERED = 50
_CIVILITY_CHOICES = [SelectChoice(civility, civility or "non précisée") for civility in CIVILITIES]


class UserForm(VersionedForm):
    """A person who will sign in; the login is generated from the name."""

    role = SelectField(
        "Rôle", choices=[SelectChoice(role.value, role.label) for role in MANUAL_ROLES], validate_choice=False
    )
    student = SelectField(
        "Élève",
        validate_choice=False,
        description="Pour un apprenant : l’élève à qui appartient le compte, qui en portera le nom.",
    )
    civility = SelectField("Civilité", choices=_CIVILITY_CHOICES, validate_choice=False)
    last_name = StringField("Nom")
    first_name = StringField("Prénom")
    email = EmailField(
        "Adresse électronique",
        description="Facultative : elle sert à « Mot de passe oublié », une fois que la personne l’a confirmée. À "
        "laisser vide pour un chef d’établissement.",
    )
    discipline = StringField("Discipline", description="Pour un enseignant.")
    divisions = CodesField("Divisions", offer=queries.offer_divisions, description="Pour un enseignant.")


def offer_roles(form: Form, account: Account, *, by: Actor) -> None:
    """Offer the roles that a correction may give an account."""
    form["role"].choices = [SelectChoice(role.value, role.label) for role in manual.list_new_roles(account, by)]


def offer_students(form: Form) -> None:
    """Offer, in the field `student`, the pupils without an account whose name begins with the typed text."""
    sought = f"{form['last_name'].data or ''} {form['first_name'].data or ''}".strip()[:100]
    found = list_students_without_account(sought=sought, limit=_STUDENTS_OFFERED + 1)
    finds_no_one = bool(sought) and not found
    if finds_no_one:
        found = list_students_without_account(limit=_STUDENTS_OFFERED + 1)
    shown = found[:_STUDENTS_OFFERED]
    form["student"].choices = [
        SelectChoice("", "Aucun : ce n’est pas un apprenant"),
        *(SelectChoice(str(each.id), describe_student(each)) for each in shown),
    ]
    if len(found) > len(shown):
        form["student"].description = (
            f"Pour un apprenant. Seuls les {_STUDENTS_OFFERED} premiers élèves sans compte sont proposés : tapez le "
            "nom de l’élève ci-dessous, puis validez pour réduire la liste."
        )
    elif not shown:
        form["student"].description = _no_account_left()
    if finds_no_one and shown:
        form["student"].description = (
            f"Aucun élève sans compte ne répond à «\u202f{sought}\u202f»\u202f: "
            f"{'les premiers' if len(found) > len(shown) else 'tous'} sont proposés. Corrigez le nom ci-dessous, puis "
            "validez pour chercher à nouveau."
        )


def read_divisions(form: Form, values: Mapping[str, str]) -> list[int]:
    """Return the divisions of the chosen codes.

    Raises `FieldErrors` for unknown codes, together with the errors of the other typed values.
    """
    found = {code: queries.find_typed_division(code) for code in form["divisions"].data or ()}
    unknown = [f"« {code[:20]} »" for code, division in found.items() if division is None]
    if unknown:
        unknown_codes = f"le code {unknown[0]}" if len(unknown) == 1 else f"les codes {', '.join(unknown[:10])}"
        is_pupils = role_can(values.get("role", ""), Permission.OWN_RECORDS)  # the names come from the pupil
        names = ("last_name", "first_name") if is_pupils else ()
        typed = {name: text for name, text in values.items() if name not in names}
        raise FieldErrors({**manual.list_errors(typed), "divisions": f"Aucune division ne porte {unknown_codes}."})
    return list({division.id: None for division in found.values() if division is not None})


def _no_account_left() -> Markup:
    """Return what to do if every present pupil has an account, so that the list has no choice."""
    create_link = "" if get_current_establishment().uses_siecle else _link("eleves.create_view", "se créer à la main")
    return Markup(
        "Pour un apprenant. Tous les élèves présents ont un compte : il n’y a personne à choisir ici. Un élève qui "
        "manque peut {added}. Le compte d’un apprenant qui n’a pas d’élève se relie depuis sa fiche : {unlinked}."
    ).format(
        added=Markup(" ou ").join(filter(None, (_link("imports.index", "arriver par un import"), create_link))),
        unlinked=_link("utilisateurs.index_view", "voir ces comptes", etat="sans-eleve"),
    )


def _link(endpoint: str, words: str, **values: Any) -> Markup:
    return Markup('<a href="{url}">{words}</a>').format(url=url_for(endpoint, **values), words=words)
