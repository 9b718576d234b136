"""Hooks of the feature: menu, help, what the module changes, the preview of masks, what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Flask, url_for

from cpro.core import events
from cpro.core.formatting import plural
from cpro.core.permissions import Permission
from cpro.core.web.registry import Consequence, MenuEntry, registry
from cpro.establishments.models import Module
from cpro.establishments.web.modules import is_on
from cpro.masks.models import MaskKey
from cpro.scenarios import operations, queries


def register_hooks(app: Flask) -> None:
    """Register the feature's parts of the pages below, and its answers to their questions."""
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
    app_registry.add_consequences("modules", _module_consequences)
    app_registry.add_preview("masks", _mask_preview)
    events.diploma_deletion_requested.connect(operations.forbid_deletion)
    events.competences_used.connect(operations.list_used_competences)


def _module_consequences() -> list[Consequence]:
    count = queries.count_in_use()
    kept = f"{plural(count, 'scénario', 'scénarios')} en cours"
    if is_on(Module.SCENARIOS):
        return [Consequence(f"Désactiver « Scénarios » fermerait {kept} à leurs auteurs ; rien ne serait effacé.")]
    return [
        Consequence(
            f"Le module « Scénarios » est désactivé : {kept} attendent, intacts, qu’il soit réactivé.",
            "blocked",
            url_for("modules.edit"),
            "Onglet Modules",
        )
    ]


def _mask_preview(*, labels: Mapping[MaskKey, str]) -> tuple[str, dict[str, Any]]:
    """Return the scenario screen as it reads with some wordings."""
    return "scenarios/_mask_preview.html", {
        "labels": {key.value: label for key, label in labels.items()},
        "texts": {key.value: key.example for key in labels},
        "links": [{"label": MaskKey.LINKS.example}],
    }
