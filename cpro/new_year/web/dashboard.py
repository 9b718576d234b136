"""Dashboard line of a new school year, from July to October: it links to the steps."""

from __future__ import annotations

from flask import url_for

from cpro.core.formatting import format_school_year
from cpro.core.permissions import Permission
from cpro.core.web.checklist import ChecklistItem, Figures
from cpro.core.web.current_user import may
from cpro.new_year.queries import find_report
from cpro.new_year.web.presenter import current_year, is_season


def list_new_year_items(figures: Figures) -> list[ChecklistItem]:
    """Return the line of the school year being prepared, until it is declared prepared."""
    if not is_season() or not may(Permission.NEW_YEAR):
        return []
    year = current_year()
    if find_report(year) is not None:
        return []
    return [
        ChecklistItem(
            f"Préparer la rentrée {format_school_year(year)}",
            "Imports, départs, divisions, comptes, accords\u202f: les étapes dans l’ordre, et où en est chacune.",
            link_url=url_for("new_year.index"),
            link_label="Voir les étapes",
            figure=format_school_year(year),
            act=Permission.NEW_YEAR,
        )
    ]
