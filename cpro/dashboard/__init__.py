"""« Tableau de bord »: « Les incontournables » and the charts of the school, computed from the current figures.

This package depends on the features whose lines and charts it shows; none of them depends on it.
"""

from __future__ import annotations

from flask import Flask

from cpro.core.permissions import Permission
from cpro.core.web.registry import MenuEntry, registry


def register(app: Flask) -> None:
    """Register the menu line; the page itself is the index of the administration site."""
    from cpro.dashboard.figures import views

    app.register_blueprint(views.bp)
    registry(app).add_menu_entry(
        MenuEntry(
            "Chiffres de l’année",
            "figures.index",
            Permission.FIGURES_VIEW,
            order=5,
            icon="document",
            covers=("figures.*",),
        )
    )
    registry(app).add_menu_entry(
        MenuEntry(
            "Tableau de bord",
            "admin.index",
            Permission.DASHBOARD_VIEW,
            order=0,
            icon="dashboard",
            covers=("admin.index",),
        )
    )
