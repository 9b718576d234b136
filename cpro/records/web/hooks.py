"""Hooks of the feature: its menu lines, its tab, its part of the settings' history."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, url_for

from cpro.core import clock, events
from cpro.core.formatting import plural
from cpro.core.permissions import Permission, can
from cpro.core.web.registry import Consequence, HistoryPart, MenuEntry, SettingsTab, registry
from cpro.core.web.responses import current_principal
from cpro.records.operations.retention import forget_drafts, get_preview
from cpro.records.queries import find_evaluated


def register_hooks(app: Flask) -> None:
    """Register the menu lines, the tab, consequences and the history."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Parcours des apprenants",
            "records.pupils",
            Permission.PUPILS_VIEW,
            order=33,
            icon="document",
            covers=("records.*",),
        )
    )
    app_registry.add_menu_entry(
        MenuEntry(
            "Mon parcours", "records.own", Permission.OWN_RECORDS, order=33, icon="document", covers=("records.*",)
        )
    )
    app_registry.add_settings_tab(
        SettingsTab("retention", "Conservation", "retention.edit", Permission.RETENTION_VIEW, order=55)
    )
    app_registry.add_consequences("retention", _consequences)
    events.competences_used.connect(_competences_used)
    events.import_undone.connect(_forget_drafts)
    # Restored by a line of the history, a shorter period would delete without the confirmation of its page.
    app_registry.add_history(
        HistoryPart(
            key="conservation",
            label="Conservation",
            tab="retention",
            object_type="establishment",
            actions=("establishment:retention:changed",),
            edit=Permission.RETENTION_EDIT,
        )
    )


def _competences_used(sender: object, *, ids: frozenset[int], **_more: object) -> set[int]:
    return find_evaluated(ids)


def _forget_drafts(sender: object, *, establishment_id: int, created_ids: Collection[int], **_more: object) -> None:
    forget_drafts(created_ids, establishment_id=establishment_id)


def _consequences() -> list[Consequence]:
    expired = get_preview(clock.utcnow()).expired
    lines = [
        Consequence(
            "Un ancien apprenant peut demander son passeport, et ses données peuvent le suivre dans un autre "
            "établissement, tant qu’elles sont conservées ici."
        ),
        Consequence("Une copie déjà reçue par un autre établissement n’est pas touchée."),
    ]
    if not expired.pupils:
        return [Consequence("Aucune donnée ne sera supprimée la nuit prochaine.", "ok"), *lines]
    return [
        Consequence(
            f"{plural(expired.records, 'enregistrement', 'enregistrements')} de "
            f"{plural(expired.pupils, 'ancien apprenant', 'anciens apprenants')} "
            f"{'sera supprimé' if expired.records == 1 else 'seront supprimés'} la nuit prochaine.",
            "warning",
            url_for("retention.edit", _anchor="prochaines")
            if can(current_principal(), Permission.RETENTION_EDIT)
            else None,
            "Voir la liste",
        ),
        *lines,
    ]
