"""« Paramètres »: every tab, what each one changes elsewhere, and the history of the settings.

Stands above the features whose settings it shows and calls them; nothing below knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the tabs and their pages."""
    from cpro.core.permissions import Permission
    from cpro.core.web.registry import SettingsTab, registry
    from cpro.settings.views import establishment, history, masks, modules, retention

    for view in (establishment, history, modules, masks, retention):
        app.register_blueprint(view.bp)
    app_registry = registry(app)
    app_registry.add_settings_tab(
        SettingsTab("masks", "Masque de saisie", "masks.edit", Permission.MASKS_VIEW, order=30)
    )
    app_registry.add_consequences("masks", masks.consequences)
