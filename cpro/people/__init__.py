"""« Gérer les profils utilisateurs »: the screen of accounts, pupils' accounts, activation sheets, teachers' accounts.

Stands above users and students and calls them; nothing below knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the pages and what they add to the pages of a pupil and of an account."""
    from cpro.people import pupil_account_hooks
    from cpro.people.views import account_links, credential_sheets, pupil_accounts, teachers

    assert account_links  # its routes are on the blueprint of pupil_accounts
    for bp in (credential_sheets.bp, pupil_accounts.bp, teachers.bp):
        app.register_blueprint(bp)
    pupil_account_hooks.register_hooks(app)


def register_admin(site: Admin) -> None:
    """Add the screen of accounts to the administration site."""
    from cpro.people.screens import UsersScreen
    from cpro.users.models import Account

    site.add_view(UsersScreen(Account, url="/admin/utilisateurs", endpoint="utilisateurs"))
