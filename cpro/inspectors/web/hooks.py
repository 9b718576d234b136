"""Hooks of the feature: its menu entry, and the schools open to an inspector."""

from __future__ import annotations

from flask import Flask

from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry
from cpro.inspectors import queries


def register_hooks(app: Flask) -> None:
    """Register the menu entry and the schools open to an inspector."""
    app_registry = registry(app)
    app_registry.open_schools = queries.list_open_schools
    app_registry.name_in_school = queries.find_name_in_school
    # For people who may read the list but not open the tab that links to it.
    app_registry.add_menu_entry(
        MenuEntry(
            "Accès inspecteur",
            "mandats.index_view",
            Permission.MANDATES_VIEW,
            order=65,
            icon="people",
            covers=("mandats.*",),
            unless=Permission.MANDATES_EXPLAIN,
        )
    )
