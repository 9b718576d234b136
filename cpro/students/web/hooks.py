"""Hooks of the feature: its menu entry."""

from __future__ import annotations

from flask import Flask

from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry


def register_hooks(app: Flask) -> None:
    """Register the menu entry."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Élèves",
            "eleves.index_view",
            Permission.STUDENTS_VIEW,
            order=40,
            icon="student",
            covers=(
                *("students.*", "eleves.*", "duplicates.*", "divisions.*", "diplomes.*", "competences.*", "mefs.*"),
            ),
        )
    )
