"""Hooks of the feature: its tab, its help, what opens a school to an inspector."""

from __future__ import annotations

from flask import Flask, url_for

from cpro.core import clock
from cpro.core.formatting import join_french, plural
from cpro.core.permissions import Permission, can
from cpro.core.web.registry import Consequence, MenuEntry, SettingsTab, registry
from cpro.core.web.responses import current_principal
from cpro.establishments.models import Module
from cpro.establishments.operations.modules import is_module_on
from cpro.establishments.queries import get_current_establishment
from cpro.inspectors import queries
from cpro.inspectors.models import MandateState


def register_hooks(app: Flask) -> None:
    """Register the tab, the help, the consequences, and the schools open to an inspector."""
    app_registry = registry(app)
    app_registry.open_schools = queries.list_open_schools
    app_registry.name_in_school = queries.find_name_in_school
    app_registry.add_settings_tab(
        SettingsTab("inspectors", "Accès inspecteur", "inspectors.index", Permission.MANDATES_EXPLAIN, order=50)
    )
    # Whoever may read the list without the tab that leads to it.
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
    app_registry.add_consequences("inspectors", _consequences)
    app_registry.add_consequences("modules", _module_consequences)


def _consequences() -> list[Consequence]:
    running, to_come = _count(MandateState.RUNNING), _count(MandateState.TO_COME)
    if not is_module_on(get_current_establishment(), Module.INSPECTORS):
        return [_suspended(running, to_come)]
    if not running and not to_come:
        return [Consequence("Aucun inspecteur n’a accès à l’établissement, ni maintenant ni plus tard.", "info")]
    return [
        Consequence(
            f"{plural(running, 'inspecteur a accès', 'inspecteurs ont accès')} maintenant à l’établissement"
            + (f" ; {plural(to_come, 'accès est à venir', 'accès sont à venir')}." if to_come else "."),
            "ok",
        ),
        Consequence("Chaque page qu’ils ouvrent est inscrite au journal et dans la liste de leurs consultations."),
    ]


def _module_consequences() -> list[Consequence]:
    running, to_come = _count(MandateState.RUNNING), _count(MandateState.TO_COME)
    if not is_module_on(get_current_establishment(), Module.INSPECTORS):
        return [_suspended(running, to_come)]
    if not running and not to_come:
        return [Consequence("Aucun accès inspecteur n’est ouvert : désactiver ce module ne coupe personne.", "info")]
    return [
        Consequence(
            f"Désactiver « Accès inspecteur » suspendrait aussitôt {_figures(running, to_come)}.",
            "warning",
            url_for("inspectors.index"),
            "Voir les accès",
        )
    ]


def _suspended(running: int, to_come: int) -> Consequence:
    is_head = can(current_principal(), Permission.MODULES_SWITCH)
    return Consequence(
        "Le module « Accès inspecteur » est désactivé : plus rien n’est ouvert à personne. "
        f"Le réactiver rendrait {_figures(running, to_come)}.",
        "blocked",
        url_for("modules.edit") if is_head else None,
        "Onglet Modules",
    )


def _figures(running: int, to_come: int) -> str:
    """Return « 2 accès en cours et 1 accès à venir », without what there is none of; « aucun accès » for nothing."""
    parts = [
        plural(count, f"accès {word}", f"accès {word}")
        for count, word in ((running, "en cours"), (to_come, "à venir"))
        if count
    ]
    return join_french(parts) or "aucun accès"


def _count(state: MandateState) -> int:
    return queries.count_mandates(state, clock.today_in(get_current_establishment().timezone, clock.utcnow()))
