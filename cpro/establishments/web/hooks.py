"""Hooks of the feature: its tabs, what its settings change."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for

from cpro.audit.queries import find_last_change
from cpro.audit.web.page_views import QUIET, record_consultation
from cpro.core import clock
from cpro.core.formatting import format_instant
from cpro.core.permissions import Permission, can
from cpro.core.web.forms import MayAskPassword
from cpro.core.web.registry import Consequence, MenuEntry, SettingsTab, registry
from cpro.core.web.responses import current_principal, remote_address
from cpro.establishments import queries
from cpro.establishments.models import PictureKind
from cpro.establishments.web import history


def register_hooks(app: Flask) -> None:
    """Register tabs, menu and consequences."""
    app_registry = registry(app)
    app_registry.timezone = lambda: queries.get_current_establishment().timezone
    app_registry.saved_by = _saved_by
    app_registry.add_menu_entry(
        MenuEntry(
            "Paramètres",
            "settings.establishment",
            Permission.PARTICULARS_VIEW,
            order=60,
            icon="settings",
            covers=tuple(
                f"{name}.*"
                for name in "settings modules history masks inspectors retention etablissements masques mandats".split()
            ),
        )
    )
    app_registry.add_settings_tab(
        SettingsTab("establishment", "Établissement", "settings.establishment", Permission.PARTICULARS_VIEW, 10)
    )
    app_registry.add_settings_tab(
        SettingsTab("transfers", "Transferts", "settings.transfers", Permission.TRANSFERS_VIEW, 20)
    )
    app_registry.add_settings_tab(SettingsTab("pictures", "Logo", "settings.pictures", Permission.LOGO_VIEW, 40))
    app_registry.add_settings_tab(SettingsTab("modules", "Modules", "modules.edit", Permission.MODULES_SWITCH, 60))
    app_registry.add_consequences("transfers", _transfers_consequences)
    app_registry.add_consequences("pictures", _pictures_consequences)
    app_registry.add_object_section(history.record_section)
    for part in history.PARTS:
        app_registry.add_history(part)


def settings_frame(tab: str) -> dict[str, Any]:
    """Return what every settings page shows around its form: the tabs one may see, and what the tab changes.

    That the support opened the page is recorded in the journal, once in ten minutes; an inspector, each time.
    """
    principal, app_registry = current_principal(), registry()
    part = next((each for each in app_registry.history_parts.values() if each.tab == tab), None)
    if principal is not None:
        record_consultation(
            principal,
            object_type="settings",
            object_id=tab,
            object_label=next(each.label for each in app_registry.settings_tabs if each.key == tab),
            origin=remote_address(),
            now=clock.utcnow(),
            quiet=QUIET,
        )
    return {
        "tabs": [
            {"label": each.label, "url": url_for(each.endpoint), "current": each.key == tab}
            for each in app_registry.settings_tabs
            if can(principal, each.permission)
        ],
        # They are for the people who run the school, or help to: an inspector reads the particulars alone.
        "consequences": app_registry.consequences(tab) if can(principal, Permission.DASHBOARD_VIEW) else [],
        "history_url": url_for("history.index", de=part.key)
        if part and can(principal, Permission.SETTINGS_HISTORY)
        else None,
    }


def password_given(form: MayAskPassword) -> bool:
    """Return whether the person signed in typed their password, and the right one; call it outside any unit of work.

    Raises a `DomainError` on the field `current_password` for a wrong one.
    """
    typed = form.current_password.data or ""
    if typed:
        registry().check_password(typed)
    return bool(typed)


def _saved_by(object_type: str, object_id: object, field: str) -> tuple[str, str] | None:
    """Return who last changed a field and when, from the journal: « Chloé Martin », « 23/11/2026 à 14 h 30 »."""
    entry = find_last_change(object_type, object_id, field)
    if entry is None:
        return None
    return entry.actor_label, format_instant(entry.at, queries.get_current_establishment().timezone)


def _transfers_consequences() -> list[Consequence]:
    school = queries.get_current_establishment()
    if school.transfers_enabled:
        return [
            Consequence(
                "Les transferts sont activés : les données d’un élève qui change d’établissement le suivent, "
                "si l’autre établissement les a activés aussi.",
                "ok",
            )
        ]
    return [
        Consequence(
            "Les transferts sont désactivés : les données de vos élèves ne partent vers aucun établissement, "
            "et vous n’en recevez pas.",
            "blocked",
        )
    ]


def _pictures_consequences() -> list[Consequence]:
    lines = []
    for kind in PictureKind:
        if queries.find_picture(kind):
            lines.append(Consequence(f"Le {kind.label} est prêt à être imprimé sur les passeports.", "ok"))
        else:
            lines.append(Consequence(f"Sans {kind.label}, sa place reste vide sur les passeports.", "info"))
    return lines
