"""The account sections of pupils' and accounts' pages."""

from __future__ import annotations

from typing import Any

from flask import url_for

from cpro.core import clock
from cpro.core.errors import refusal_of
from cpro.core.formatting import format_instant
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission
from cpro.core.web.current_user import current_actor, may
from cpro.core.web.screens import above
from cpro.establishments.queries import get_current_establishment
from cpro.people.presenters.emergency import describe_closed_account
from cpro.students.accounts import queries
from cpro.students.models import Student
from cpro.students.queries import list_division_codes_of
from cpro.users.models import Account
from cpro.users.operations import access
from cpro.users.operations.head_codes import describe_code
from cpro.users.queries import find_account_by_id

_SECTION, _SIGN_IN = "people/_pupil_account.html", "people/_sign_in.html"


def pupil_account_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Show the account of a pupil, or the pupil of an account, with the pages that link and unlink them."""
    if not may(Permission.USERS_VIEW) or object_type not in ("student", "account"):
        return None
    if object_type == "student":
        return _SECTION, _of_student(queries.get_student(read_id(object_id) or 0))
    account = queries.get_account(read_id(object_id) or 0)
    return (_SECTION, _of_account(account)) if account.can(Permission.OWN_RECORDS) else None


def teacher_divisions_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Show the divisions of a teacher on the page of their account."""
    if object_type != "account" or not may(Permission.USERS_VIEW):
        return None
    account = queries.get_account(read_id(object_id) or 0)
    if not account.can(Permission.PUPILS_EVALUATE):
        return None
    codes = list_division_codes_of(account.id)
    text = "" if codes else "Aucune division : cette personne ne voit encore aucun élève."
    pairs = [("Divisions", ", ".join(codes))] if codes else []
    return _SECTION, {"title": "Divisions", "pairs": pairs, "text": text, "links": []}


def closed_account_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Show, on the page of an account, that its role is closed and since when."""
    if object_type != "account" or not may(Permission.USERS_VIEW):
        return None
    text = describe_closed_account(read_id(object_id) or 0)
    return ("people/_closed_account.html", {"text": text}) if text else None


def sign_in_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Show, on the page of an account, its activation code to those who may reset it, and its second factor.

    The journal tells its readers who set up a second factor: the page tells the same people.
    """
    if object_type != "account" or not may(Permission.USERS_VIEW):
        return None
    account, by = queries.get_account(read_id(object_id) or 0), current_actor()
    pairs: list[tuple[str, str]] = []
    if may(Permission.USERS_EDIT) and account.is_active and refusal_of(access.check_reset, account, by) is None:
        pairs.append(("Code d’activation", _describe_code_of(account)))
    if may(Permission.JOURNAL_VIEW):
        pairs.append(("Second facteur", "activé" if access.has_second_factor(account) else "non activé"))
    return (_SIGN_IN, {"pairs": pairs}) if pairs else None


def _describe_code_of(account: Account) -> str:
    until = access.find_code_deadline(account, now=clock.utcnow())
    if until is None:
        return "aucun en attente"
    return f"en attente, valable jusqu’au {format_instant(until, get_current_establishment().timezone)}"


def head_code_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Show, on the page of a head who has not activated their account, how they get a code."""
    if object_type != "account" or not may(Permission.USERS_VIEW):
        return None
    account_id = read_id(object_id)
    account = find_account_by_id(account_id) if account_id else None
    described = describe_code(account, get_current_establishment()) if account else None
    return ("people/_head_code.html", {"text": described[0], "level": described[1]}) if described else None


def _of_student(student: Student) -> dict[str, Any]:
    edits, links = may(Permission.USERS_EDIT), list[tuple[str, str]]()
    if student.account_id is not None:
        account = queries.get_account(student.account_id)
        links.append(("Voir son compte", url_for("utilisateurs.details_view", id=account.id, **above.cross_over())))
        if edits:
            links.append(("Délier ce compte", url_for("pupil_accounts.unlink", account_id=account.id)))
        return {"title": "Compte", "pairs": [("Identifiant", account.login)], "links": links}
    if not student.is_active:
        if student.merged_into_id is not None:
            return {"title": "Compte", "text": "Cette fiche est un doublon : elle n’a pas de compte."}
        return {"title": "Compte", "text": "Cet élève n’a pas de compte, et a quitté l’établissement."}
    if edits:
        links.append(("Ouvrir un compte", url_for("pupil_accounts.open_accounts", ids=student.id)))
        if queries.count_unlinked_accounts():
            links.append(("Relier un compte existant", url_for("pupil_accounts.choose_account", student_id=student.id)))
    return {"title": "Compte", "text": "Cet élève n’a pas de compte.", "links": links}


def _of_account(account: Account) -> dict[str, Any]:
    edits, links = may(Permission.USERS_EDIT), list[tuple[str, str]]()
    student = queries.find_student_of(account.id)
    if student is not None:
        links.append(("Voir la fiche de l’élève", url_for("eleves.details_view", id=student.id, **above.cross_over())))
        if may(Permission.SCHOOL_RECORDS_READ):
            links.append(("Voir son parcours", url_for("records.pupil", student_id=student.id)))
        if edits:
            links.append(("Délier cet élève", url_for("pupil_accounts.unlink", account_id=account.id)))
        return {"title": "Élève", "pairs": [("Élève", queries.describe_student(student))], "links": links}
    if edits and account.is_active:
        links.append(("Relier à un élève", url_for("pupil_accounts.choose_student", account_id=account.id)))
    text = "Ce compte n’est relié à aucun élève : il n’ouvre encore aucun parcours."
    return {"title": "Élève", "text": text, "links": links}
