"""The list of students without INE."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, events
from cpro.core.parsing import read_page
from cpro.core.permissions import Permission, can, requires
from cpro.core.web.current_user import current_principal, remote_address
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
    events.search_made.send(
        "students", principal=current_principal(), screen="Élèves sans INE", sought="", origin=remote_address(), now=now
    )
    counts = queries.count_without_ine(today)
    total = counts.active + counts.departed
    last_page = max(1, -(-total // _PER_PAGE))
    page = read_page(request.args.get("page"), last=last_page)
    return render_page(
        "students/without_ine.html",
        counts=counts,
        students=queries.list_without_ine(today, limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE),
        by_siecle=is_kept_by_siecle(),
        imports_url=url_for("imports.index") if can(current_principal(), Permission.IMPORTS_MANAGE) else "",
        empty_message=describe_no_missing_ine(),
        page=page,
        last_page=last_page,
    )
