"""Hooks of the feature: its menu entry, its event listeners."""

from __future__ import annotations

from functools import partial

from flask import Flask

from cpro.core import events
from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry
from cpro.establishments.models import Module
from cpro.establishments.web.modules import is_on
from cpro.scenarios import operations


def register_hooks(app: Flask) -> None:
    """Register the menu entry and the event listeners."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Scénarios",
            "scenarios.index",
            Permission.SCENARIOS_VIEW,
            order=35,
            icon="document",
            covers=("scenarios.*",),
            when=partial(is_on, Module.SCENARIOS),
        )
    )
    events.diploma_deletion_requested.connect(operations.forbid_deletion)
    events.competences_used.connect(operations.list_used_competences)
