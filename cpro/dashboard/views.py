"""The home page of those who run the school: what is missing, what that blocks, and the charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import url_for
from flask_admin import expose

from cpro.core.charts import Chart
from cpro.core.counts import count_together
from cpro.core.permissions import Permission
from cpro.core.web.checklist import Asked, ChecklistItem, Figures
from cpro.core.web.current_user import current_principal, may
from cpro.core.web.screens.base import SecureIndexView
from cpro.dashboard.checklist import describe_left, list_items_for
from cpro.establishments.web.dashboard import count_for_school, list_school_items, render_activity
from cpro.imports.web.dashboard import list_import_items
from cpro.new_year.web.dashboard import list_new_year_items
from cpro.students.web.dashboard import (
    count_students,
    list_pupil_account_items,
    list_student_items,
    render_accounts_by_division,
)
from cpro.transfers.web.dashboard import count_transfers, list_transfer_items, render_transfers_by_month
from cpro.users.web.dashboard import count_accounts, list_account_items

#: Functions that return the counts needed; all are read in one statement.
COUNTS: Sequence[Callable[[], Asked]] = (count_for_school, count_accounts, count_students, count_transfers)
#: Functions that return the lines of « Les incontournables », in display order.
CHECKLIST: Sequence[Callable[[Figures], Sequence[ChecklistItem]]] = (
    list_new_year_items,
    list_school_items,
    list_account_items,
    list_student_items,
    list_transfer_items,
    list_import_items,
    list_pupil_account_items,
)
#: Functions that render each chart, in display order; None while there is no data.
CHARTS: Sequence[Callable[[Figures], Chart | None]] = (
    render_activity,
    render_accounts_by_division,
    render_transfers_by_month,
)

#: Summary pages of the school, shown to those who may read them: label, endpoint, permission.
OVERVIEWS: Sequence[tuple[str, str, Permission]] = (
    ("Chiffres de l’année", "figures.index", Permission.FIGURES_VIEW),
    ("Qui a accès", "accesses.index", Permission.ACCESSES_VIEW),
)


def count_all() -> Figures:
    """Return the counts that the lines and charts need, read in one statement."""
    return count_together({name: counted for ask in COUNTS for name, counted in ask().items()})


def list_items(figures: Figures) -> list[ChecklistItem]:
    """Return the lines of « Les incontournables »."""
    return [item for list_lines in CHECKLIST for item in list_lines(figures)]


class Dashboard(SecureIndexView):
    """« Les incontournables »: what is missing, what that blocks, and a link."""

    permission = Permission.DASHBOARD_VIEW

    @expose("/")
    def index(self) -> Any:
        """Show the checklist and the charts."""
        figures = count_all()
        checklist = list_items_for(current_principal(), list_items(figures))
        charts = (draw(figures) for draw in CHARTS)
        return self.render(
            "dashboard/index.html",
            checklist=checklist,
            left=describe_left(checklist),
            charts=[chart for chart in charts if chart is not None],
            overviews=[(label, url_for(endpoint)) for label, endpoint, permission in OVERVIEWS if may(permission)],
        )
