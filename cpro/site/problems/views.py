"""The page « Décrire un problème »."""

from __future__ import annotations

import re
from datetime import timedelta

from flask import Blueprint, current_app, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, tenancy
from cpro.core.errors import DomainError
from cpro.core.permissions import Permission, requires
from cpro.core.shown_errors.queries import find_last_number
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_principal, may, remote_address
from cpro.core.web.forms import posted, typed_before_sign_in
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.site.problems.forms import ProblemForm
from cpro.site.problems.operations import send_problem

bp = Blueprint("problems", __name__, url_prefix="/probleme")

#: The code of an error page, which is the number of its request.
_CODE = re.compile(r"[0-9a-f]{12}")
#: How long the last error page is taken for what somebody comes to describe.
_RECENT = timedelta(hours=1)


@bp.route("", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT, keeps_typed_form=True)
def describe() -> ResponseReturnValue:
    """Send what somebody says of a problem, or say whom to tell where the platform gives no address."""
    contact = current_app.config["CPRO_CONTACT_EMAIL"]
    form = ProblemForm(
        posted() if request.method == "POST" else typed_before_sign_in(), data={"number": _number_to_give()}
    )
    status = _send(form, contact) if request.method == "POST" and contact else 200
    if status == 303:
        return back_to(
            url_for("problems.describe"), "Votre message part vers l’équipe qui administre la plateforme. Merci.", OWN
        )
    return render_page(
        "problems/describe.html", form=form, has_contact=bool(contact), tell=_whom_to_tell(), status=status
    )


def _number_to_give() -> str:
    """Return the code of the address, or that of the error page that the reader was last shown, if it is recent."""
    code, principal = request.args.get("code", ""), current_principal()
    assert principal is not None, "the guard lets nobody else through"
    if _CODE.fullmatch(code):
        return code
    with tenancy.platform_session("the last error page of somebody") as lookup:
        return find_last_number(lookup, f"{principal.kind}:{principal.id}", since=clock.utcnow() - _RECENT)


def _whom_to_tell() -> str:
    """Return who hears of a problem where the platform gives no address: whoever is not the reader."""
    host = "à la personne ou au service qui a ouvert CPro à votre établissement, ou qui l’héberge"
    if may(Permission.USERS_VIEW):
        return host
    return "à l’administrateur de votre établissement\u202f: ce qu’il ne peut régler, il le transmet à qui héberge CPro"


def _send(form: ProblemForm, contact: str) -> int:
    """Send the message of a form; return the status of the answer, the form blamed if refused."""
    principal = current_principal()
    assert principal is not None, "the guard lets nobody else through"
    if not form.validate():
        return 422
    try:
        with platform_unit_of_work("a problem described", schools=[principal.establishment_id]) as work:
            send_problem(
                work.session,
                form.text.data or "",
                number=form.number.data or "",
                to=contact,
                by=principal,
                origin=remote_address(),
                now=clock.utcnow(),
            )
    except DomainError as refusal:
        form.blame(refusal)
        return refusal.status
    return 303
