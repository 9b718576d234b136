"""Hooks of the feature: menu, help, what switching off stops, checklist, chart."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for

from cpro.core.formatting import plural
from cpro.core.permissions import Permission
from cpro.core.web.registry import Consequence, MenuEntry, TabSection, registry
from cpro.transfers import queries


def register_hooks(app: Flask) -> None:
    """Register the menu line, the button of the tab and consequences."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Transferts",
            "transfers.index",
            Permission.TRANSFERS_VIEW,
            order=50,
            icon="transfer",
            covers=("transfers.*", "transferts.*"),
        )
    )
    app_registry.add_section("transfers-follow-up", TabSection("transfers/_tab_section.html", _tab_section))
    app_registry.add_consequences("transfers", _consequences)
    app_registry.add_consequences("transfers-off", _off_consequences)


def _tab_section() -> dict[str, Any]:
    return {"url": url_for("transfers.index")}


def _consequences() -> list[Consequence]:
    figures = queries.count_sides()
    lines = []
    if figures.received or figures.sent:
        lines.append(
            Consequence(
                f"{plural(figures.received, 'transfert reçu', 'transferts reçus')} et "
                f"{plural(figures.sent, 'envoyé', 'envoyés')} à ce jour.",
                "ok",
            )
        )
    if figures.to_decide:
        verb = "attend votre décision" if figures.to_decide == 1 else "attendent votre décision"
        count = plural(figures.to_decide, "transfert", "transferts")
        lines.append(Consequence(f"{count} {verb}.", "warning", url_for("transfers.index"), "Décider"))
    if figures.waiting:
        count = plural(figures.waiting, "transfert attend", "transferts attendent")
        lines.append(
            Consequence(
                f"{count} l’autre établissement ou un import.",
                "info",
                url_for("transfers.index"),
                "Voir où ils en sont",
            )
        )
    return lines


def _off_consequences() -> list[Consequence]:
    """Say what switching off stops and what it keeps, to a school that has no transfer yet as to any other."""
    figures = queries.count_sides()
    pending, done = figures.to_decide + figures.waiting, figures.received + figures.sent
    lines = [
        Consequence("Dès la validation, plus rien n’est copié, ni vers votre établissement ni depuis lui.", "blocked")
    ]
    if pending:
        lines.append(
            Consequence(
                f"{plural(pending, 'transfert en cours s’arrête', 'transferts en cours s’arrêtent')} : "
                "l’autre établissement, s’il a activé les transferts, lira que vous ne l’avez pas fait.",
                "blocked",
            )
        )
    kept = (
        "Ce qui a déjà été copié reste où il est : "
        f"{plural(figures.received, 'transfert reçu', 'transferts reçus')}, "
        f"{plural(figures.sent, 'envoyé', 'envoyés')}. Le délai de 30 jours pour annuler continue de courir."
        if done
        else "Ce qui a déjà été copié reste où il est ; à ce jour, rien ne l’a été."
    )
    return [
        *lines,
        Consequence(kept),
        Consequence("Si vous les activez à nouveau, la recherche reprend ; rien n’est jamais copié deux fois.", "ok"),
    ]
