"""« Urgence »: close a role or the whole school immediately, reopen it, render the incident sheet."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, request, send_file, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import plural, upper_first
from cpro.core.permissions import Permission, Principal, Role, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor, get_principal
from cpro.core.web.forms import PasswordForm
from cpro.core.web.pages import back_to, render_page
from cpro.people.presenters import emergency as presenter
from cpro.people.presenters.incident_sheet import read_first_day, render_incident_sheet
from cpro.users.emergency.operations import lock_roles, reopen_roles
from cpro.users.emergency.queries import get_incident

bp = Blueprint("emergency", __name__, url_prefix="/admin/urgence")


@bp.get("")
@requires(Permission.EMERGENCY_LOCK)
def index() -> ResponseReturnValue:
    """Show each role, and what is or was closed."""
    return render_page("people/emergency.html", **presenter.describe_page())


@bp.get("/fermer")
@requires(Permission.EMERGENCY_LOCK)
def ask_to_close() -> ResponseReturnValue:
    """Show the consequences of closing a role (`role`), or all of them."""
    roles = presenter.read_roles(request.args.get("role", ""))
    return render_page(
        "confirm.html",
        title="Fermer d’urgence",
        question=f"Fermer maintenant {presenter.name_chosen(roles)}\u202f?",
        consequences=presenter.describe_closing(roles),
        action_url=url_for(".close"),
        fields={"role": request.args["role"]},
        submit_label="Fermer maintenant",
        cancel_url=url_for(".index"),
        danger=True,
    )


@bp.post("/fermer")
@requires(Permission.EMERGENCY_LOCK)
def close() -> ResponseReturnValue:
    """Close a role (`role`), or all of them; this browser stays signed in."""
    principal, roles = get_principal(), presenter.read_roles(request.form.get("role", ""))
    try:
        with platform_unit_of_work("an emergency lock", schools=[principal.establishment_id]) as work:
            incident = lock_roles(
                work.session,
                _school_of(principal),
                roles,
                kept_sign_in_id=principal.sign_in_id,
                by=current_actor(),
                now=clock.utcnow(),
            )
            ended = plural(incident.sign_ins, "session terminée", "sessions terminées")
            voided = plural(incident.codes, "code annulé", "codes annulés")
    except DomainError as refusal:
        return back_to(url_for(".index"), refusal.message, "warning")
    return back_to(
        url_for(".index"), f"{upper_first(presenter.name_chosen(roles))} est fermé\u202f: {ended}, {voided}."
    )


@bp.get("/rouvrir")
@requires(Permission.EMERGENCY_LOCK_ALL, code_again=True)
def ask_to_reopen() -> ResponseReturnValue:
    """Show the consequences of reopening a role (`role`), or all of them, and ask for the password."""
    return _ask_to_reopen(PasswordForm(), presenter.read_roles(request.args.get("role", "")), request.args["role"])


@bp.post("/rouvrir")
@requires(Permission.EMERGENCY_LOCK_ALL, code_again=True)
def reopen() -> ResponseReturnValue:
    """Reopen a role (`role`), or all of them, after checking the person's password."""
    form, chosen, principal = PasswordForm(), request.form.get("role", ""), get_principal()
    roles = presenter.read_roles(chosen)
    if not form.validate_on_submit():
        return _ask_to_reopen(form, roles, chosen)
    try:
        with platform_unit_of_work("an emergency lock", schools=[principal.establishment_id]) as work:
            reopened = reopen_roles(
                work.session,
                _school_of(principal),
                roles,
                password_given=form.password_was_given,
                by=current_actor(),
                now=clock.utcnow(),
            )
    except DomainError as refusal:
        form.blame(refusal)
        return _ask_to_reopen(form, roles, chosen)
    return back_to(url_for(".index"), f"Rouvert\u202f: {presenter.name_chosen(reopened)}.")


@bp.get("/<int:lock_id>/fiche.pdf")
@requires(Permission.EMERGENCY_LOCK)
def incident_sheet(lock_id: int) -> ResponseReturnValue:
    """Send the incident sheet of a closing, with the audit figures since a day (`du`)."""
    incident = get_incident(lock_id)
    content = render_incident_sheet(incident, since=read_first_day(incident, request.args.get("du", "")))
    return send_file(
        BytesIO(content), mimetype="application/pdf", as_attachment=True, download_name="fiche-incident.pdf"
    )


def _ask_to_reopen(form: PasswordForm, roles: list[Role], chosen: str) -> ResponseReturnValue:
    return render_page(
        "confirm.html",
        title="Rouvrir",
        question=f"Rouvrir {presenter.name_chosen(roles)}\u202f?",
        consequences=presenter.describe_reopening(roles),
        action_url=url_for(".reopen"),
        fields={"role": chosen},
        submit_label="Rouvrir",
        cancel_url=url_for(".index"),
        danger=False,
        form=form,
        status=form.status,
    )


def _school_of(principal: Principal) -> int:
    assert principal.establishment_id is not None, "the right is that of people of a school"
    return principal.establishment_id
