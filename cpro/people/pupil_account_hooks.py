"""What pupils' accounts add to shared pages: the pages of a pupil and of an account, the dashboard."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for

from cpro.core.formatting import format_count, plural
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, Role
from cpro.core.web.registry import ChecklistItem, registry
from cpro.core.web.screens.read_only import may
from cpro.students.accounts import queries
from cpro.students.models import Student
from cpro.users.models import Account

_SECTION = "students/accounts/_section.html"


def register_hooks(app: Flask) -> None:
    """Register the feature's parts of other pages."""
    app_registry = registry(app)
    app_registry.add_object_section(_record_section, is_first=True)  # above what the journal records
    app_registry.add_checklist(_checklist)


def _record_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    if not may(Permission.USERS_VIEW) or object_type not in ("student", "account"):
        return None
    if object_type == "student":
        return _SECTION, _of_student(queries.get_student(read_id(object_id) or 0))
    account = queries.get_account(read_id(object_id) or 0)
    return (_SECTION, _of_account(account)) if account.role is Role.STUDENT else None


def _of_student(student: Student) -> dict[str, Any]:
    edits, links = may(Permission.USERS_EDIT), list[tuple[str, str]]()
    if student.account_id is not None:
        account = queries.get_account(student.account_id)
        links.append(("Voir son compte", url_for("utilisateurs.details_view", id=account.id)))
        if edits:
            links.append(("Délier ce compte", url_for("pupil_accounts.unlink", account_id=account.id)))
        return {"title": "Compte", "pairs": [("Identifiant", account.login)], "links": links}
    if not student.is_active:
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
        links.append(("Voir la fiche de l’élève", url_for("eleves.details_view", id=student.id)))
        if edits:
            links.append(("Délier cet élève", url_for("pupil_accounts.unlink", account_id=account.id)))
        return {"title": "Élève", "pairs": [("Élève", queries.describe_student(student))], "links": links}
    if edits and account.is_active:
        links.append(("Relier à un élève", url_for("pupil_accounts.choose_student", account_id=account.id)))
    text = "Ce compte n’est relié à aucun élève : il n’ouvre encore aucun parcours."
    return {"title": "Élève", "text": text, "links": links}


def _checklist() -> list[ChecklistItem]:
    return [*_accounts_to_open(), *_unlinked_accounts(), *_unseen_links()]


def _accounts_to_open() -> list[ChecklistItem]:
    """Return the line of the pupils without account, for whoever opens them."""
    number = queries.count_without_account() if may(Permission.USERS_EDIT) else 0
    if not number:
        return []
    who = plural(number, "élève présent ne peut pas se connecter", "élèves présents ne peuvent pas se connecter")
    return [
        ChecklistItem(
            "Ouvrir les comptes des élèves",
            f"Sans compte, {who}.",
            done=False,
            link_url=url_for("pupil_accounts.open_accounts"),
            link_label="Ouvrir les comptes",
            figure=format_count(number),
        )
    ]


def _unlinked_accounts() -> list[ChecklistItem]:
    """Return the line of the pupils' accounts that name no pupil, for whoever links them."""
    number = queries.count_unlinked_accounts() if may(Permission.USERS_EDIT) else 0
    if not number:
        return []
    what = plural(number, "compte d’apprenant n’ouvre", "comptes d’apprenants n’ouvrent")
    return [
        ChecklistItem(
            "Relier les comptes d’apprenants à leur élève",
            f"Sans élève, {what} aucun parcours.",
            done=False,
            link_url=url_for("utilisateurs.index_view", etat="sans-eleve"),
            link_label="Voir la liste",
            figure=format_count(number),
        )
    ]


def _unseen_links() -> list[ChecklistItem]:
    """Return the line of the links made by hand, for the head, until they have read of them."""
    number = len(queries.list_unseen_links()) if may(Permission.USERS_CONSENT) else 0
    if not number:
        return []
    return [
        ChecklistItem(
            "Vérifier les comptes reliés à un élève",
            "Un compte relié ouvre le parcours de l’élève : l’administrateur en a relié ou délié à la main.",
            done=False,
            link_url=url_for("pupil_accounts.seen_links"),
            link_label="Voir la liste",
            figure=format_count(number),
        )
    ]
