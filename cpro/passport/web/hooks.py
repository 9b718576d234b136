"""Hooks of the feature: its menu line, the previews, own data."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Flask, url_for

from cpro.core import clock
from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, TabSection, registry
from cpro.core.web.responses import current_principal
from cpro.establishments.models import Module
from cpro.establishments.web.gate_links import list_passport_obstacles
from cpro.establishments.web.modules import is_on
from cpro.passport.previews import get_preview_fingerprint
from cpro.passport.web.views.passports import current_letterhead
from cpro.records.queries import find_own_pupil


def register_hooks(app: Flask) -> None:
    """Register the menu line and the parts of other pages that show a passport."""
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
    app_registry.add_section("picture-logo", TabSection("passport/_preview.html", _first_page))
    app_registry.add_section("picture-cachet", TabSection("passport/_preview.html", _last_page))
    app_registry.add_section("account", TabSection("passport/_account.html", _own_data))


def _first_page() -> dict[str, Any]:
    return _preview(
        "previews.first_page",
        "Première page",
        "Première page d’un passeport\u202f: l’en-tête de l’établissement, avec le logo s’il y en a un, puis un "
        "apprenant imaginaire.",
    )


def _last_page() -> dict[str, Any]:
    return _preview(
        "previews.last_page",
        "Dernière page",
        "Dernière page d’un passeport\u202f: la date, le signataire, le cachet s’il y en a un, et la vérification.",
    )


def _preview(endpoint: str, title: str, alternative: str) -> dict[str, Any]:
    if not is_on(Module.PASSPORT):
        return {"url": ""}
    version = get_preview_fingerprint(current_letterhead(), now=clock.utcnow())[:12]
    return {"url": url_for(endpoint, v=version), "title": title, "alt": alternative}


def _own_data() -> dict[str, Any]:
    principal = current_principal()
    shown = principal and principal.can(Permission.OWN_PASSPORT) and find_own_pupil(principal.id)
    return {"url": url_for("passport.own_data") if shown else "", "reasons": list_passport_obstacles() if shown else []}
