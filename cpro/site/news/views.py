"""« Nouveautés »: what happened for the signed-in person, and the button that marks it as read."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.parsing import read_instant, read_integer
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor, get_principal
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.site.news.operations import mark_read
from cpro.site.news.presenters import describe_page

bp = Blueprint("news", __name__, url_prefix="/nouveautes")


@bp.get("")
@requires(Permission.NEWS_READ)
def index() -> ResponseReturnValue:
    """Show recent events, the new ones first and marked as new, and the accesses that end soon."""
    return render_page("news/index.html", **describe_page(get_principal()))


@bp.post("/lues")
@requires(Permission.NEWS_READ)
def read() -> ResponseReturnValue:
    """Record that what the page showed was read: lines after `ligne`, and the rest after `jusqu_a`, are still new."""
    principal, now = get_principal(), clock.utcnow()
    until = read_instant(request.form.get("jusqu_a", "")) or now
    line = read_integer(request.form.get("ligne"))
    with platform_unit_of_work("news read", schools=[principal.establishment_id]) as work:
        mark_read(work.session, until=until, line=line, by=current_actor(), now=now)
    return back_to(url_for(".index"), "Vos nouveautés sont marquées comme lues.", OWN)
