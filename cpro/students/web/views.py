"""The list of students without INE."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, events
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, can, requires
from cpro.core.web.current_user import announce, current_principal
from cpro.core.web.pages import render_page
from cpro.core.web.screens import above
from cpro.establishments.queries import get_school_today
from cpro.students import queries
from cpro.students.web.presenters import call_apart, describe_ine_remedy, describe_no_missing_ine

#: The name of the list of students for the pages below it.
LIST = "eleves"

bp = Blueprint("students", __name__)

above.stand_below(bp, LIST, carries=lambda endpoint, _values: endpoint != "students.without_ine")

_PER_PAGE = 50


@bp.get("/admin/eleves-sans-ine")
@requires(Permission.MISSING_INE_VIEW)
def without_ine() -> ResponseReturnValue:
    """List the students who cannot be transferred because they have no INE, with the remedy."""
    today = get_school_today(clock.utcnow())
    announce(events.search_made, "students", screen="Élèves sans INE", sought="")
    counts = queries.count_without_ine(today)
    asked = ListState.read(request.args, request.path, sizes=(_PER_PAGE,))
    page = queries.find_without_ine(asked, today)
    return render_page(
        "students/without_ine.html",
        counts=counts,
        page=page,
        called=call_apart(page.rows),
        remedy=describe_ine_remedy(),
        imports_url=url_for("imports.index") if can(current_principal(), Permission.IMPORTS_MANAGE) else "",
        may_list=can(current_principal(), Permission.STUDENTS_VIEW),
        empty_message=describe_no_missing_ine(),
    )
