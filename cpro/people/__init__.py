"""« Gérer les profils utilisateurs »: the screen of accounts, pupils' accounts, activation sheets, teachers' accounts;
merging two rows of one pupil; « Qui a accès », on one page; and « Urgence », which closes the accounts of a role
immediately.

Depends on users, students and what belongs to a pupil: records, passports, transfers. No lower feature imports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin

from cpro.core.counts import MOST_WAITING, Counted
from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry


def register(app: Flask) -> None:
    """Register the pages, the menu entry, and the account sections of pupils' and accounts' pages."""
    from cpro.people import sections
    from cpro.people.views import (
        accesses,
        account_links,  # noqa: F401  # adds its routes to `pupil_accounts.bp`
        credential_sheets,
        duplicates,
        emergency,
        pupil_accounts,
        teachers,
    )

    for bp in (accesses.bp, credential_sheets.bp, duplicates.bp, emergency.bp, pupil_accounts.bp, teachers.bp):
        app.register_blueprint(bp)
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Gérer les profils utilisateurs",
            "utilisateurs.index_view",
            Permission.USERS_VIEW,
            order=30,
            icon="people",
            covers=("utilisateurs.*", "credential_sheets.*", "pupil_accounts.*"),
            waits=_list_for_head,
        )
    )
    app_registry.add_menu_entry(
        MenuEntry(
            "Qui a accès",
            "accesses.index",
            Permission.ACCESSES_VIEW,
            order=75,
            icon="inspector",
            covers=("accesses.*",),
        )
    )
    app_registry.add_menu_entry(
        MenuEntry(
            "Urgence", "emergency.index", Permission.EMERGENCY_LOCK, order=80, icon="lock", covers=("emergency.*",)
        )
    )
    app_registry.add_object_section(sections.closed_account_section, is_first=True)
    app_registry.add_object_section(sections.teacher_divisions_section, is_first=True)
    app_registry.add_object_section(sections.pupil_account_section, is_first=True)  # above the audit section
    app_registry.add_object_section(sections.sign_in_section, is_first=True)
    app_registry.add_object_section(sections.head_code_section)


def _list_for_head(rights: frozenset[Permission]) -> list[Counted]:
    """Return the counts of the accounts that the head must act on: to consent to, to review."""
    from cpro.users.queries import select_pending, select_unseen_teachers

    if Permission.USERS_CONSENT not in rights:
        return []
    return [Counted(each, MOST_WAITING) for each in (select_pending(), select_unseen_teachers())]


def register_admin(site: Admin) -> None:
    """Add the screen of accounts to the administration site."""
    from cpro.people.screens import UsersScreen
    from cpro.users.models import Account

    site.add_view(UsersScreen(Account, url="/admin/utilisateurs", endpoint="utilisateurs"))
