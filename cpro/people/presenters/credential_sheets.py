"""How the pages of activation sheets describe the people they are for, and the documents they produce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import current_app, url_for

from cpro.core import clock
from cpro.core.formatting import format_count, person_name, plural
from cpro.core.mail import public_link
from cpro.core.permissions import Actor, Permission
from cpro.core.storage import FileStorage
from cpro.core.web.screens.bulk import MOST_NAMED, name_some
from cpro.establishments.models import PictureKind
from cpro.establishments.queries import find_picture, get_current_establishment
from cpro.students import queries
from cpro.students.accounts.queries import Selection, get_candidates, list_to_open
from cpro.students.accounts.queries import list_left_out as list_left_out_pupils
from cpro.students.credential_sheets.operations import Batch, Target, list_target_accounts
from cpro.students.models import Student
from cpro.students.web.presenters import name_and_birth
from cpro.students.web.selections import get_fields
from cpro.users.credential_sheets import PrintedSchool, render_credential_sheets, sheet_lines
from cpro.users.models import Account
from cpro.users.operations.credential_sheets import ACTIVATED, CredentialSheet, Plan, Why, list_left_out


def describe_people(target: Target) -> str:
    """Return the people chosen in a list, as a sentence: « 2 comptes choisis : AGATE Noé (noe.agate) et… »."""
    accounts = list_target_accounts(target, now=clock.utcnow())
    counted = plural(len(accounts), "compte choisi", "comptes choisis")
    return f"{counted}\u202f: {_name_some(accounts)}" if accounts else counted


def describe_left_out(target: Target, *, by: Actor) -> list[str]:
    """Return which of the people chosen in a list get no sheet, and why; those already activated may be reset."""
    accounts = list_target_accounts(target, now=clock.utcnow())
    return [*_name_left_out(list_left_out(accounts, by=by), unless_reset=True), *_describe_departed(target)]


def _name_left_out(left_out: Mapping[Why, Sequence[Account]], *, unless_reset: bool = False) -> list[str]:
    return [
        f"Sans fiche{', sauf réinitialisation' if unless_reset and why is ACTIVATED else ''}\u202f: "
        f"{_name_some(accounts)}, {why[len(accounts) > 1]}."
        for why, accounts in left_out.items()
    ]


def _describe_departed(target: Target) -> list[str]:
    """Return which of the chosen pupils left without an account."""
    departed = list_left_out_pupils(Selection(student_ids=target.student_ids))[1] if target.student_ids else []
    left = "a" if len(departed) == 1 else "ont"
    return [f"Sans fiche\u202f: {_name_pupils(departed)}, qui {left} quitté l’établissement."] if departed else []


def _name_pupils(pupils: Sequence[Student]) -> str:
    return name_some([name_and_birth(each) for each in pupils], MOST_NAMED)


def _name_some(people: Sequence[Account | CredentialSheet]) -> str:
    """Return the first of some people by name and login, then how many others."""
    return name_some([f"{person_name(each.last_name, each.first_name)} ({each.login})" for each in people], MOST_NAMED)


def describe_missing_accounts(target: Target) -> dict[str, str] | None:
    """Return which of the chosen people have no account yet, and the link that opens accounts for them, or None."""
    selection = Selection(is_everyone=True)
    if target.account_ids or target.without_code or (target.role and not target.role.can(Permission.OWN_RECORDS)):
        return None
    if target.student_ids:
        selection = Selection(student_ids=target.student_ids)
    elif target.division_id is not None:
        selection = Selection(division=queries.get_division(target.division_id).code)
    number = get_candidates(selection).to_open
    if not number:
        return None
    text = plural(number, "élève présent n’a pas encore de compte", "élèves présents n’ont pas encore de compte")
    where = f" dans la division {selection.division}" if selection.division else ""
    names = "" if selection.is_everyone else f"\u202f: {_name_pupils(list_to_open(selection))}"
    return {
        "text": f"{text}{where}{names}. Sans compte, pas de fiche.",
        "link_url": url_for("pupil_accounts.open_accounts", **get_fields(selection)),
        "link_label": "Ouvrir un compte" if number == 1 else f"Ouvrir les comptes ({format_count(number)})",
    }


def describe_no_one(target: Target, to_open: dict[str, str] | None) -> dict[str, str] | None:
    """Return why no sheet can be prepared for the people of a list, and what to do first; None if one can.

    `to_open`: the result of `describe_missing_accounts`.
    """
    if list_target_accounts(target, now=clock.utcnow()):
        return None
    if to_open:
        return {**to_open, "text": "Aucun des élèves choisis n’a de compte\u202f: ouvrez d’abord leurs comptes."}
    return {
        "text": "Aucun des élèves choisis n’a de compte\u202f: sans compte, pas de fiche.",
        "link_url": url_for("credential_sheets.choose"),
        "link_label": "Choisir d’autres personnes",
    }


def describe_sheets(plan: Plan, target: Target) -> list[str]:
    """Return whom sheets are for, the consequences for printed codes that become void, and who is left out."""
    without_account = describe_missing_accounts(target)
    return [
        f"{'Une fiche se prépare' if len(plan.sheets) == 1 else 'Des fiches se préparent'} pour "
        f"{_name_some(plan.sheets)}.",
        *([_describe_codes(plan.printed)] if plan.printed else []),
        *([_describe_passwords(plan.passwords)] if plan.reset else []),
        *_name_left_out(plan.left_out),
        *([without_account["text"]] if without_account else []),
        *_describe_departed(target),
    ]


def _describe_codes(number: int) -> str:
    return plural(
        number,
        "code déjà créé et pas encore utilisé cesse de servir : la fiche qui le porte est à jeter.",
        "codes déjà créés et pas encore utilisés cessent de servir : les fiches qui les portent sont à jeter.",
    )


def _describe_passwords(number: int) -> str:
    if not number:
        return "Aucun de ces comptes n’a encore de mot de passe : la réinitialisation n’en annule aucun."
    return plural(
        number,
        "mot de passe déjà choisi cesse aussitôt de servir, et les connexions de son compte prennent fin.",
        "mots de passe déjà choisis cessent aussitôt de servir, et les connexions de leurs comptes prennent fin.",
    )


def render_documents(batch: Batch, *, layout: int) -> dict[str, bytes]:
    """Return the sheets in every format: getting the other format must not void codes again."""
    school, sheets = _school(), batch.plan.sheets
    return {
        "pdf": render_credential_sheets(sheets, school, divisions=batch.divisions, layout=layout, now=clock.utcnow()),
        "csv": "".join(sheet_lines(sheets, school, divisions=batch.divisions)).encode(),
    }


def _school() -> PrintedSchool:
    establishment, logo = get_current_establishment(), find_picture(PictureKind.LOGO)
    content = None
    if logo:
        with FileStorage(current_app.config["CPRO_UPLOADS"]).open(logo.stored_name) as stored:
            content = stored.read()
    return PrintedSchool(
        name=establishment.name,
        code=establishment.code,
        address=public_link(f"/{establishment.code}"),
        timezone=establishment.timezone,
        activation=public_link(url_for("users.activate")),
        logo=content,
        logo_name=logo.stored_name if logo else "",
    )
