"""What pupils' accounts add to shared pages: the pages of a pupil and of an account, the dashboard."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for

from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, Role
from cpro.core.web.registry import registry
from cpro.core.web.screens.read_only import may
from cpro.students.accounts import queries
from cpro.students.models import Student
from cpro.users.models import Account

_SECTION = "students/accounts/_section.html"


def register_hooks(app: Flask) -> None:
    """Register the feature's parts of other pages."""
    app_registry = registry(app)
    app_registry.add_object_section(_record_section, is_first=True)  # above what the journal records


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
