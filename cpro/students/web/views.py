"""The list of students without INE."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, events
from cpro.core.lists import ListState, find_page
from cpro.core.permissions import Permission, can, requires
from cpro.core.web.current_user import announce, current_principal
from cpro.core.web.pages import render_page
from cpro.students import queries
from cpro.students.operations import is_kept_by_siecle
from cpro.students.web.presenters import describe_no_missing_ine

bp = Blueprint("students", __name__)

_PER_PAGE = 50


@bp.get("/admin/eleves-sans-ine")
@requires(Permission.MISSING_INE_VIEW)
def without_ine() -> ResponseReturnValue:
    """List the students who cannot be transferred for want of an INE, with the remedy."""
    now = clock.utcnow()
    today = now.date()
    announce(events.search_made, "students", screen="Élèves sans INE", sought="")
    counts = queries.count_without_ine(today)
    asked = ListState.read(request.args, request.path, sizes=(_PER_PAGE,))
    return render_page(
        "students/without_ine.html",
        counts=counts,
        page=find_page(asked, partial(queries.list_without_ine, today), counts.active + counts.departed),
        by_siecle=is_kept_by_siecle(),
        imports_url=url_for("imports.index") if can(current_principal(), Permission.IMPORTS_MANAGE) else "",
        empty_message=describe_no_missing_ine(),
    )
