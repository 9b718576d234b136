"""The pages of the support; what they open of a school is written in its journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from cpro.audit.web.page_views import QUIET
from cpro.core import clock, events, tenancy
from cpro.core.formatting import DEFAULT_TIMEZONE, format_instant
from cpro.core.jobs.queries import find_last_beat
from cpro.core.permissions import Permission, requires
from cpro.core.shown_errors.models import ShownError
from cpro.core.shown_errors.queries import find_error
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import announce, current_actor, current_principal
from cpro.core.web.job_presenter import describe_duration
from cpro.core.web.pages import render_page
from cpro.core.web.registry import registry
from cpro.site.support import presenters, queries
from cpro.site.support.operations import record_look_up

bp = Blueprint("support", __name__, url_prefix="/ecoles")

_NUMBER_LENGTH = 100


@bp.get("/support")
@requires(Permission.PLATFORM_FOLLOW)
def state() -> ResponseReturnValue:
    """Show how the last imports, e-mails and jobs went, in the school entered or in all of them."""
    principal = current_principal()
    school_id = principal.establishment_id if principal else None
    now = clock.utcnow()
    with tenancy.platform_session("how the last imports, e-mails and jobs went") as lookup:
        works, beat = queries.list_works(lookup, school_id, now=now), find_last_beat(lookup)
        school = queries.name_school(lookup, school_id)
    opened = {"object_type": "support_state", "object_id": str(school_id or ""), "object_label": "État des traitements"}
    announce(events.record_opened, "support", **opened, quiet=QUIET)
    return render_page("support/state.html", works=works, beat=beat, school=school, say=_say_in(school_id))


@bp.get("/erreurs")
@requires(Permission.PLATFORM_FOLLOW)
def error() -> ResponseReturnValue:
    """Show what is known of the error page of a number."""
    typed = request.args.get("code", "").strip()[:_NUMBER_LENGTH]
    with tenancy.platform_session("the error page of a number") as lookup:
        found = find_error(lookup, typed)
        school = queries.name_school(lookup, found.school_id) if found else ""
        facts = _describe(found, school, queries.name_account(lookup, found.account)) if found else []
    if found is not None:
        with platform_unit_of_work("an error page looked up", schools=[found.school_id]) as work:
            record_look_up(work.session, found, by=current_actor(), now=clock.utcnow())
    is_blank = "code" in request.args and not typed
    return render_page("support/error.html", typed=typed, is_blank=is_blank, found=found, facts=facts)


def _describe(found: ShownError, school: str, account: str) -> list[tuple[str, str]]:
    """Return what is known of an error page, each a name and its words."""
    return [
        ("Quand", _say_in(None)(found.at)),
        ("Établissement", school or "aucun"),
        ("Compte", account or "personne de connecté"),
        ("Adresse", presenters.describe_route(found.route)),
        ("Réponse", str(found.status)),
        ("Cause", presenters.describe_cause(found.cause, found.status)),
    ]


def _say_in(school_id: int | None) -> Callable[[datetime | None], str]:
    """Return what writes an instant and how long ago it was, in the time zone of the school entered, if any."""
    timezone, now = registry().timezone() if school_id is not None else DEFAULT_TIMEZONE, clock.utcnow()

    def say(instant: datetime | None) -> str:
        if instant is None:
            return ""
        return f"{format_instant(instant, timezone)} (il y a {describe_duration(now - instant)})"

    return say
