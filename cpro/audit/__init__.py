"""The journal: who did what, when, from where, on which object, and its state before.

Invariants: a line is written in the transaction of the action it records; it is never changed or deleted (database
triggers refuse too); the actor's name is stored as text; no secret and no pedagogical content is ever written to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask_admin import Admin


def register(app: Flask) -> None:
    """Register the feature: its listeners, audit labels and command."""
    from cpro.audit import commands, labels
    from cpro.audit.web import listeners

    listeners.install(app)
    app.cli.add_command(commands.audit)
    labels.register(
        actions={
            "access:refused": "s’est vu refuser l’accès à une page",
            "list:exported": "a exporté une liste",
            "list:searched": "a cherché dans une liste",
            "page:opened": "a consulté la page",
            "record:opened": "a consulté",
        },
        objects={"audit_entry": "Ligne du journal", "list": "Liste", "page": "Page"},
        subjects={"access": "Page", "record": "Page"},
        fields={
            "": {
                "address": "Adresse",
                "file_format": "Format du fichier",
                "method": "Méthode",
                "sought": "Recherche et filtres",
            }
        },
        values={"page": {"method": lambda method: "consultation" if method in ("GET", "HEAD") else "envoi"}},
    )


def register_admin(site: Admin) -> None:
    """Add the journal to the administration site and to the side bar."""
    from cpro.audit.models import AuditEntry
    from cpro.audit.web.screens import JournalScreen
    from cpro.core.permissions import Permission
    from cpro.core.web.registry import MenuEntry, registry

    site.add_view(JournalScreen(AuditEntry, url="/admin/journal", endpoint="journal"))
    registry(site.app).add_menu_entry(
        MenuEntry(
            "Journal", "journal.index_view", Permission.JOURNAL_VIEW, order=70, icon="journal", covers=("journal.*",)
        )
    )
