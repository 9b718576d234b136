"""The pages of the support; what they open of a school is recorded in its journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.audit.web.page_views import QUIET
from cpro.core import clock, events, tenancy
from cpro.core.formatting import DEFAULT_TIMEZONE, describe_age, format_count, format_instant
from cpro.core.jobs.queries import find_last_beat
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, Role, requires
from cpro.core.shown_errors.models import ShownError
from cpro.core.shown_errors.queries import find_error
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import announce, current_actor, current_principal
from cpro.core.web.pages import OWN, back_to, find_source_page, render_page
from cpro.core.web.registry import registry
from cpro.problems.models import Problem
from cpro.problems.operations import handle_problem, reopen_problem
from cpro.problems.queries import count_open, find_problems
from cpro.site.support import presenters, queries
from cpro.site.support.operations import record_look_up

bp = Blueprint("support", __name__, url_prefix="/ecoles")

_NUMBER_LENGTH = 100
#: The value of the filter that shows the handled problems.
_HANDLED = "traites"


@bp.get("/support")
@requires(Permission.PLATFORM_FOLLOW)
def state() -> ResponseReturnValue:
    """Show the outcome of the last imports, e-mails and jobs, in the school entered or in all of them."""
    school_id, now = _school_id(), clock.utcnow()
    with tenancy.platform_session("how the last imports, e-mails and jobs went") as lookup:
        works, beat = queries.list_works(lookup, school_id, now=now), find_last_beat(lookup)
        school = queries.name_school(lookup, school_id)
    opened = {"object_type": "support_state", "object_id": str(school_id or ""), "object_label": "État des traitements"}
    announce(events.record_opened, "support", **opened, quiet=QUIET)
    return render_page("support/state.html", works=works, beat=beat, school=school, with_age=_age_formatter(school_id))


@bp.get("/erreurs")
@requires(Permission.PLATFORM_FOLLOW)
def error() -> ResponseReturnValue:
    """Show what is known about the error page of a number."""
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


@bp.get("/problemes")
@requires(Permission.PROBLEMS_HANDLE)
def problems() -> ResponseReturnValue:
    """List the problems that people described, in the school entered or in all of them."""
    school_id, with_age = _school_id(), _age_formatter(_school_id())
    asked = ListState.read(request.args, request.path, filters={"etat": [_HANDLED]})
    is_handled = "etat" in asked.chosen
    with tenancy.platform_session("the problems that people described") as lookup:
        found = find_problems(lookup, asked, school_id, handled=is_handled)
        names = queries.name_schools(lookup, {each.school_id for each in found.rows})
        page = found.show(lambda each: _describe_problem(each, names.get(each.school_id, ""), with_age))
        number, school = count_open(lookup, school_id), queries.name_school(lookup, school_id)
    opened = {"object_type": "problem", "object_id": "", "object_label": "Problèmes décrits"}
    announce(events.record_opened, "support", **opened, quiet=QUIET)
    tabs = [
        {"label": f"À traiter ({format_count(number)})", "url": url_for(".problems"), "current": not is_handled},
        {"label": "Traités", "url": url_for(".problems", etat=_HANDLED), "current": is_handled},
    ]
    return render_page("support/problems.html", page=page, tabs=tabs, is_handled=is_handled, school=school)


@bp.post("/problemes/<int:problem_id>/traiter")
@requires(Permission.PROBLEMS_HANDLE)
def handle(problem_id: int) -> ResponseReturnValue:
    """Mark a problem as handled."""
    with platform_unit_of_work("a problem handled") as work:
        now, school_id = clock.utcnow(), _school_id()
        label = handle_problem(work.session, problem_id, school_id=school_id, by=current_actor(), now=now).label
    return _back_to_problems(
        f"Le problème {label} est marqué comme traité. «\u202fRouvrir\u202f», sous «\u202fTraités\u202f», l’annule."
    )


@bp.post("/problemes/<int:problem_id>/rouvrir")
@requires(Permission.PROBLEMS_HANDLE)
def reopen(problem_id: int) -> ResponseReturnValue:
    """Mark a problem as not handled."""
    with platform_unit_of_work("a problem reopened") as work:
        now, school_id = clock.utcnow(), _school_id()
        label = reopen_problem(work.session, problem_id, school_id=school_id, by=current_actor(), now=now).label
    return _back_to_problems(f"Le problème {label} est de nouveau à traiter.")


def _back_to_problems(message: str) -> ResponseReturnValue:
    """Redirect to the page of the list where the button was."""
    source, problems_url = find_source_page(), url_for(".problems")
    is_list = source is not None and source.partition("?")[0] == problems_url
    return back_to(source if source is not None and is_list else problems_url, message, OWN)


def _school_id() -> int | None:
    """Return the school entered, None for all of them."""
    principal = current_principal()
    return principal.establishment_id if principal else None


def _describe_problem(problem: Problem, school: str, with_age: Callable[[datetime | None], str]) -> dict[str, Any]:
    """Return a problem as the list shows it."""
    return {
        "id": problem.id,
        "label": problem.label,
        "lines": problem.text.splitlines(),
        "number": problem.number,
        "facts": [
            ("Décrit", with_age(problem.at)),
            ("Établissement", school or "aucun"),
            ("Rôle", Role(problem.role).label),
            *([("Traité", f"{with_age(problem.handled_at)}, par {problem.handled_by}")] if problem.handled_at else []),
        ],
    }


def _describe(found: ShownError, school: str, account: str) -> list[tuple[str, str]]:
    """Return what is known about an error page, as labels and texts."""
    return [
        ("Quand", _age_formatter(None)(found.at)),
        ("Établissement", school or "aucun"),
        ("Compte", account or "personne de connecté"),
        ("Adresse", presenters.describe_route(found.route)),
        ("Réponse", str(found.status)),
        ("Cause", presenters.describe_cause(found.cause, found.status)),
    ]


def _age_formatter(school_id: int | None) -> Callable[[datetime | None], str]:
    """Return a function that formats an instant and its age, in the time zone of the school entered, if any."""
    timezone, now = registry().timezone() if school_id is not None else DEFAULT_TIMEZONE, clock.utcnow()

    def with_age(instant: datetime | None) -> str:
        if instant is None:
            return ""
        return f"{format_instant(instant, timezone)} (il y a {describe_age(now - instant)})"

    return with_age
