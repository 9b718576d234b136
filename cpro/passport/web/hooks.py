"""Hooks of the feature: its menu line, and the export of own data."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask, url_for

from cpro.core.permissions import Permission
from cpro.core.web.current_user import current_principal
from cpro.core.web.registry import MenuEntry, registry
from cpro.establishments.models import Module
from cpro.establishments.web.gate_links import list_passport_obstacles
from cpro.establishments.web.modules import is_on
from cpro.records.queries import find_own_pupil


def register_hooks(app: Flask) -> None:
    """Register the menu line and the part of « Mon compte » that offers own data."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Passeports",
            "passports.index",
            Permission.DIVISION_PASSPORTS,
            order=47,
            icon="passport",
            covers=("passports.*", "passport.*"),
            when=partial(is_on, Module.PASSPORT),
        )
    )
    app_registry.add_account_section(_own_data)


def _own_data() -> tuple[str, dict[str, Any]] | None:
    """Offer pupils the export of all data kept about them."""
    principal = current_principal()
    if principal is None or not principal.can(Permission.OWN_PASSPORT) or find_own_pupil(principal.id) is None:
        return None
    return "passport/_account.html", {"url": url_for("passport.own_data"), "reasons": list_passport_obstacles()}
