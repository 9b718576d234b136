"""« Qui a accès »: inspectors, head and administrators, and the support, with what each may read, on one page."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from cpro.core.permissions import Permission, requires
from cpro.core.web.pages import render_page
from cpro.people.presenters.accesses import describe_page

bp = Blueprint("accesses", __name__, url_prefix="/admin/acces")


@bp.get("")
@requires(Permission.ACCESSES_VIEW)
def index() -> ResponseReturnValue:
    """Show inspectors, accounts that lead or administer the school, and the visits of the support."""
    return render_page("people/accesses.html", **describe_page())
