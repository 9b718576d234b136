"""The page « Décrire un problème »."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import Blueprint, current_app, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, tenancy
from cpro.core.errors import DomainError
from cpro.core.formatting import DEFAULT_TIMEZONE
from cpro.core.permissions import Permission, Principal, requires
from cpro.core.shown_errors.queries import find_last_number
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import get_principal, may, remote_address
from cpro.core.web.forms import typed_before_sign_in
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.core.web.registry import registry
from cpro.problems.operations import describe_problem
from cpro.problems.queries import has_readers, list_own
from cpro.problems.web.forms import ProblemForm
from cpro.problems.web.presenters import describe_own, describe_readers, describe_whom_to_notify

bp = Blueprint("problems", __name__, url_prefix="/probleme")

#: The code of an error page, which is the number of its request.
_CODE = re.compile(r"[0-9a-f]{12}")
#: How long the last error page is assumed to be the subject of a new problem.
_RECENT = timedelta(hours=1)


@bp.route("", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT, keeps_typed_form=True)
def describe() -> ResponseReturnValue:
    """Store a problem, and show who reads it and the state of the author's earlier ones."""
    person = get_principal()
    account = f"{person.kind}:{person.id}"
    given = {"number": _number_to_give(account)}
    form = ProblemForm(data=given) if request.method == "POST" else ProblemForm(typed_before_sign_in(), data=given)
    if form.validate_on_submit() and (label := _keep(form, person)):
        return back_to(url_for("problems.describe"), f"Votre message est gardé\u202f: {label}. {_who_reads()}", OWN)
    timezone = registry().timezone() if person.establishment_id is not None else DEFAULT_TIMEZONE
    with tenancy.platform_session("what somebody has described") as lookup:
        own = [describe_own(each, timezone) for each in list_own(lookup, account)]
    whom = "" if _contact() else describe_whom_to_notify(leads_school=may(Permission.USERS_VIEW))
    return render_page(
        "problems/describe.html", form=form, who_reads=_who_reads(), whom=whom, own=own, status=form.status
    )


def _number_to_give(account: str) -> str:
    """Return the code in the URL, or that of the last error page shown to the reader, if it is recent."""
    code = request.args.get("code", "")
    if _CODE.fullmatch(code):
        return code
    with tenancy.platform_session("the last error page of somebody") as lookup:
        return find_last_number(lookup, account, since=clock.utcnow() - _RECENT)


def _who_reads() -> str:
    with tenancy.platform_session("who reads the problems") as lookup:
        is_read = has_readers(lookup)
    return describe_readers(is_read=is_read, is_mailed=bool(_contact()), has_news=may(Permission.NEWS_READ))


def _contact() -> str:
    address: str = current_app.config["CPRO_CONTACT_EMAIL"]
    return address


def _keep(form: ProblemForm, person: Principal) -> str | None:
    """Store the problem of a form; return its label, or None, with the error on the form, if it is refused."""
    try:
        with platform_unit_of_work("a problem described", schools=[person.establishment_id]) as work:
            problem = describe_problem(
                work.session,
                form.text.data or "",
                number=form.number.data or "",
                to=_contact(),
                by=person,
                origin=remote_address(),
                now=clock.utcnow(),
            )
            return problem.label
    except DomainError as refusal:
        form.blame(refusal)
        return None
