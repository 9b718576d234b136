"""The choice of a school by the support and by inspectors: the list, entering, leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, tenancy
from cpro.core.errors import NotFound
from cpro.core.formatting import format_date, join_french, the_school
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor, get_principal
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.registry import registry
from cpro.establishments.gate import missing_particulars
from cpro.establishments.queries import find_schools, get_establishment, list_academies
from cpro.site.support.school_facts import describe_schools
from cpro.users import queries
from cpro.users.operations import sign_ins
from cpro.users.web import guard

bp = Blueprint("schools", __name__, url_prefix="/ecoles")

#: Without a sign-in for this long, a school stands still; the filter of the support's list that shows those alone.
_STANDSTILL = timedelta(days=30)
#: The key, in the browser's session, of the search and filters with which support last saw the list.
_LAST_SEEN = "schools"
_STATES = {"arret": f"aucune connexion depuis {_STANDSTILL.days}\u202fjours"}


@bp.get("")
@requires(Permission.SCHOOL_CHOOSE)
def choose() -> ResponseReturnValue:
    """List the schools that support or an inspector may enter."""
    principal = get_principal()
    if principal.can(Permission.MANDATE_ENTER):
        return render_page("support/open_schools.html", schools=registry().open_schools(principal.id, clock.utcnow()))
    with tenancy.platform_session("choosing a school") as lookup:
        academies, now = list_academies(lookup), clock.utcnow()
        filters = {"academie": academies, "etat": _STATES}
        asked = ListState.read(request.args, request.path, filters=filters, sizes=(50,))
        conditions = [queries.is_unvisited(since=now - _STANDSTILL, now=now)] if "etat" in asked.chosen else []
        if (seen := urlencode(asked.kept())) != session.get(_LAST_SEEN, ""):
            session[_LAST_SEEN] = seen
        page = find_schools(lookup, asked, *conditions)
        facts = describe_schools(lookup, [school.id for school in page.rows], now)
        missing = {school.id: join_french([each.label for each in missing_particulars(school)]) for school in page.rows}
        return render_page(
            "support/schools.html",
            page=page,
            asked=asked,
            academies=academies,
            states=_STATES,
            facts=facts,
            missing=missing,
        )


@bp.post("/<int:establishment_id>/entrer")
@requires(Permission.SCHOOL_CHOOSE)
def enter(establishment_id: int) -> ResponseReturnValue:
    """Enter a school."""
    principal = get_principal()
    message, by = "Vous consultez {}, en lecture seule.", current_actor()
    if principal.can(Permission.MANDATE_ENTER):
        opened = guard.find_open_school(principal, establishment_id)
        if opened is None:
            raise NotFound("Cet établissement ne vous a pas ouvert d’accès.")
        message = f"Vous consultez {{}}, en lecture seule, jusqu’au {format_date(opened.ends_on)} compris."
        by = replace(by, label=guard.name_in_school(principal.id, establishment_id) or by.label)
    with platform_unit_of_work("entering a school") as work:
        school = get_establishment(work.session, establishment_id)
        # An inspector's entry uses, in each school's journal, the name typed by that school.
        sign_ins.enter_school(
            work.session, principal.sign_in_id, school, by=by, now=clock.utcnow(), left_by=current_actor()
        )
        name = school.name or school.code
    return back_to(url_for(registry().find_first_endpoint(principal) or "users.home"), message.format(the_school(name)))


@bp.post("/quitter")
@requires(Permission.SCHOOL_CHOOSE)
def leave() -> ResponseReturnValue:
    """Leave the current school, for the list as it was last searched and filtered."""
    with platform_unit_of_work("leaving a school") as work:
        sign_ins.enter_school(work.session, get_principal().sign_in_id, None, by=current_actor(), now=clock.utcnow())
    return back_to(url_for("schools.choose", **dict(parse_qsl(session.get(_LAST_SEEN, "")))))
