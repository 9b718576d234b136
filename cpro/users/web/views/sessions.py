"""One's own sign-ins: which browsers are signed in, and how to sign them out."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, tenancy
from cpro.core.errors import NotFound
from cpro.core.formatting import format_instant, plural
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor, get_principal, sign_in_end
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.core.web.registry import registry
from cpro.users import queries
from cpro.users.operations import sign_ins
from cpro.users.sign_in_life import find_latest_end

bp = Blueprint("sessions", __name__, url_prefix="/mon-compte/sessions")


@bp.get("")
@requires(Permission.OWN_ACCOUNT)
def index() -> ResponseReturnValue:
    """List the browsers signed in to one's own account."""
    principal = get_principal()
    timezone = registry().timezone()
    with tenancy.platform_session("own sign-ins") as lookup:
        account = queries.get_account(lookup, principal.kind, principal.id)
        rows = [
            {
                "id": each.id,
                "device": each.device,
                "address": each.address,
                "opened": format_instant(each.created_at, timezone),
                "seen": format_instant(each.last_seen_at, timezone),
                "ends": format_instant(find_latest_end(each), timezone),
                "is_trusted": each.trusted_until is not None,
                "is_this": each.id == principal.sign_in_id,
            }
            for each in queries.list_sign_ins(lookup, account, now=clock.utcnow())
        ]
    return render_page("users/sessions.html", rows=rows)


@bp.post("/<int:sign_in_id>/terminer")
@requires(Permission.OWN_ACCOUNT)
def end(sign_in_id: int) -> ResponseReturnValue:
    """Sign one browser out; it stops at its next request."""
    principal = get_principal()
    with platform_unit_of_work("own sign-ins") as work:
        account = queries.lock_account(work.session, principal.kind, principal.id)
        device = sign_ins.end_own_sign_in(work.session, account, sign_in_id, by=current_actor(), now=clock.utcnow())
    if device is None:
        raise NotFound("Cette session est déjà terminée, ou n’est pas la vôtre.")
    return back_to(url_for(".index"), f"Session terminée\u202f: {device}.", OWN)


@bp.post("/terminer-les-autres")
@requires(Permission.OWN_ACCOUNT)
def end_others() -> ResponseReturnValue:
    """Sign every other browser out."""
    principal = get_principal()
    with platform_unit_of_work("own sign-ins") as work:
        account = queries.lock_account(work.session, principal.kind, principal.id)
        number = sign_ins.end_other_sign_ins(
            work.session, account, kept_sign_in_id=principal.sign_in_id, by=current_actor(), now=clock.utcnow()
        )
    ended = plural(number, "autre session terminée", "autres sessions terminées")
    return back_to(url_for(".index"), f"{ended}." if number else "Aucune autre session n’était ouverte.", OWN)


@bp.post("/prolonger")
@requires(Permission.OWN_ACCOUNT)
def prolong() -> ResponseReturnValue:
    """Return the seconds left to a script: its request is itself an activity, which the guard recorded."""
    end = sign_in_end()
    if end is None:
        raise RuntimeError("nobody is signed in: the view must be marked @requires")
    return end.count_seconds()
