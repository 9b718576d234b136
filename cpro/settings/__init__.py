"""« Paramètres »: every tab, what each one changes elsewhere, and the history of the settings.

This package depends on the features whose settings it shows and calls them; none of them depends on it. `tabs.py` is
the table of tabs, `consequences.py` « Ce que cela change », `history/` what « Rétablir » restores, `views/` the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Register the pages and the menu entry that leads to the first."""
    from cpro.core.permissions import Permission
    from cpro.core.web.registry import MenuEntry, registry
    from cpro.settings.tabs import list_tabs
    from cpro.settings.views import (  # noqa: F401  # those without a `bp` add their routes to this one
        bp,
        clearing,
        establishment,
        history,
        inspectors,
        mask_copies,  # its routes are on `masks.bp`
        masks,
        modules,
        pictures,
        retention,
        transfers,
    )

    for each in (bp, history.bp, modules.bp, masks.bp, inspectors.bp, retention.bp):
        app.register_blueprint(each)
    registry(app).add_menu_entry(
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
            tabs=list_tabs,
        )
    )
