"""« Rentrée »: the steps of a new school year in one place, each with its state, its figures and who did it last.

Reads the features concerned by the steps and performs none of their work: a step links to the page where it is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the pages, the menu entry and the audit labels."""
    from cpro.new_year.audit_labels import register_audit_labels
    from cpro.new_year.web import views

    app.register_blueprint(views.bp)
    registry(app).add_menu_entry(
        MenuEntry(
            "Rentrée",
            "new_year.index",
            Permission.NEW_YEAR,
            order=75,
            icon="calendar",
            covers=("new_year.*",),
        )
    )
    register_audit_labels()
