"""The list of students without INE."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.permissions import Permission, requires
from cpro.core.web import render_page
from cpro.students import queries

bp = Blueprint("students", __name__)

_PER_PAGE = 50


@bp.get("/admin/eleves-sans-ine")
@requires(Permission.STUDENTS_VIEW)
def without_ine() -> ResponseReturnValue:
    """List the students who cannot be transferred for want of an INE, with the remedy."""
    today = clock.utcnow().date()
    counts = queries.count_without_ine(today)
    total = counts.active + counts.departed
    last_page = max(1, -(-total // _PER_PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), last_page)
    return render_page(
        "students/without_ine.html",
        counts=counts,
        students=queries.list_without_ine(today, limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE),
        page=page,
        last_page=last_page,
    )
