"""The first page of those who run the school: what is missing, what it blocks, and the charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask_admin import expose

from cpro.core.charts import Chart
from cpro.core.permissions import Permission
from cpro.core.web.checklist import ChecklistItem
from cpro.core.web.current_user import current_principal
from cpro.core.web.screens.base import SecureIndexView
from cpro.dashboard.checklist import list_items_for
from cpro.establishments.web.dashboard import draw_activity, list_school_items
from cpro.imports.web.dashboard import list_import_items
from cpro.students.web.dashboard import draw_accounts_by_division, list_pupil_account_items, list_student_items
from cpro.transfers.web.dashboard import draw_transfers_by_month, list_transfer_items
from cpro.users.web.dashboard import list_account_items

#: What returns the lines of « Les incontournables », in the order shown.
CHECKLIST: Sequence[Callable[[], Sequence[ChecklistItem]]] = (
    list_school_items,
    list_account_items,
    list_student_items,
    list_transfer_items,
    list_import_items,
    list_pupil_account_items,
)
#: What draws each chart, in the order shown; None while there is nothing to draw.
CHARTS: Sequence[Callable[[], Chart | None]] = (draw_activity, draw_accounts_by_division, draw_transfers_by_month)


class Dashboard(SecureIndexView):
    """« Les incontournables »: what is missing, what it blocks, the link."""

    permission = Permission.DASHBOARD_VIEW

    @expose("/")
    def index(self) -> Any:
        """Show the checklist and the charts."""
        checklist = list_items_for(current_principal(), [item for list_items in CHECKLIST for item in list_items()])
        charts = (draw() for draw in CHARTS)
        return self.render(
            "dashboard/index.html",
            checklist=checklist,
            missing_count=sum(not item.done for item in checklist),
            charts=[chart for chart in charts if chart is not None],
        )
