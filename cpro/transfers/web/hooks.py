"""Hooks of the feature: its menu line."""

from __future__ import annotations

from flask import Flask

from cpro.core.counts import MOST_WAITING, Counted
from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry
from cpro.transfers import queries


def register_hooks(app: Flask) -> None:
    """Register the menu line."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Transferts",
            "transfers.index",
            Permission.TRANSFERS_VIEW,
            order=50,
            icon="transfer",
            covers=("transfers.*", "transferts.*"),
            waits=_list_decisions,
        )
    )


def _list_decisions(rights: frozenset[Permission]) -> list[Counted]:
    """Return the transfers that wait for a decision of people who decide."""
    if Permission.TRANSFERS_MANAGE not in rights:
        return []
    return [Counted(queries.select_to_decide(), MOST_WAITING)]
