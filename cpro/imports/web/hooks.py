"""Hooks of the feature: its two menu lines."""

from __future__ import annotations

from flask import Flask

from cpro.core.counts import MOST_WAITING, Counted
from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry
from cpro.imports.queries import select_unconfirmed


def register_hooks(app: Flask) -> None:
    """Register the menu lines."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Gérer les imports",
            "imports.index",
            Permission.IMPORTS_MANAGE,
            order=10,
            icon="import",
            covers=("imports.*", "historique_imports.*"),
            waits=lambda rights: [Counted(select_unconfirmed(), MOST_WAITING)],
        )
    )
    app_registry.add_menu_entry(
        MenuEntry(
            "Historique des imports",
            "historique_imports.index_view",
            Permission.IMPORTS_VIEW,
            order=10,
            icon="import",
            covers=("imports.*", "historique_imports.*"),
            unless=Permission.IMPORTS_MANAGE,
        )
    )
