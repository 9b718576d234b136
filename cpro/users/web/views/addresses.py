"""Changed e-mail addresses: one's own, the school's as its head confirms it, the link sent to an earlier address."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, tenancy
from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import of_name
from cpro.core.permissions import Permission, Principal, public, requires
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.core.web.current_user import current_actor, current_principal, remote_address
from cpro.core.web.forms import PasswordForm, posted
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.registry import registry
from cpro.establishments.models import Establishment
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.queries import get_current_establishment, lock_current_establishment
from cpro.users import queries
from cpro.users.models import Account
from cpro.users.operations import addresses
from cpro.users.web.forms import OwnEmailForm

bp = Blueprint("addresses", __name__)


@bp.route("/mon-compte/adresse", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT)
def own() -> ResponseReturnValue:
    """Show, confirm and change one's own e-mail address; a platform account has none but its identifier."""
    principal = _principal()
    if principal.kind == "platform":
        raise NotFound("L’adresse d’un compte de la plateforme est son identifiant : elle ne se change pas ici.")
    with tenancy.platform_session("own account") as lookup:
        account = queries.get_account(lookup, principal.kind, principal.id)
        assert isinstance(account, Account), "platform accounts were answered before"
        stored, counting = account.email, account.confirmed_email
    form = OwnEmailForm(posted() if request.method == "POST" else None, data={"email": stored})
    status = _change_own(form, principal) if request.method == "POST" else None
    if status == 200:
        return back_to(url_for("users.own_account"), "Votre adresse électronique est enregistrée.")
    return render_page(
        "users/own_email.html", form=form, principal=principal, stored=stored, counting=counting, status=status or 200
    )


@bp.route("/admin/parametres/etablissement/confirmer-adresse", methods=["GET", "POST"])
@requires(Permission.SCHOOL_ADDRESS_CONFIRM)
def confirm_school() -> ResponseReturnValue:
    """Have the head confirm the school's address, after their password: heads' codes then go there."""
    form = PasswordForm(posted() if request.method == "POST" else None)
    if request.method != "POST" or not form.validate():
        return _confirmation(form), 200 if request.method != "POST" else 422
    try:
        registry().check_password(form.current_password.data)
        with unit_of_work():
            school = lock_current_establishment()
            addresses.confirm_school_address(
                school, shown=request.form.get("email", ""), by=current_actor(), now=clock.utcnow()
            )
            confirmed = school.email
    except DomainError as refusal:
        form.blame(refusal)
        return _confirmation(form), refusal.status
    return back_to(
        url_for("settings.establishment"),
        f"Adresse confirmée : les codes d’un chef d’établissement partent désormais à {confirmed}.",
    )


@bp.route("/adresse/<string:token>", methods=["GET", "POST"])
@public
def answer(token: str) -> ResponseReturnValue:
    """Ask the holder of an earlier address whether the new one is right; a GET changes nothing."""
    word = request.form.get("reponse", "")
    if request.method != "POST" or word not in ("confirmer", "refuser"):
        return _question(token, 200 if request.method != "POST" else 422)
    with platform_unit_of_work("the holder of an earlier address answers") as work:
        agrees = word == "confirmer"
        change = addresses.answer_link(work.session, token, agrees=agrees, origin=remote_address(), now=clock.utcnow())
        message = _answered(agrees=agrees, is_account=change.account_id is not None)
    return back_to(url_for("users.sign_in"), message)


def _principal() -> Principal:
    principal = current_principal()
    assert principal is not None, "the guard lets nobody else through"
    return principal


def _change_own(form: OwnEmailForm, principal: Principal) -> int:
    """Change the address of the person signed in; return the status of the answer, the form blamed if refused."""
    if not form.validate():
        return 422
    try:
        registry().check_password(form.current_password.data)
    except DomainError as refusal:
        form.blame(refusal)
        return refusal.status
    with platform_unit_of_work("own address") as work:
        account = work.session.get_one(Account, principal.id)
        addresses.change_own_address(
            work.session, account, form.email.data or "", by=current_actor(), now=clock.utcnow()
        )
    return 200


def _confirmation(form: PasswordForm) -> str:
    school = get_current_establishment()
    proved = find_proved_address(school)
    question = f"Confirmer {school.email} ?" if school.email else "L’établissement n’a pas d’adresse électronique."
    return render_template(
        "confirm.html",
        title="Confirmer l’adresse de l’établissement",
        question=question,
        consequences=[
            "Les codes d’activation d’un chef d’établissement partiront à cette adresse : assurez-vous qu’elle est "
            "bien celle de l’établissement, et que seules des personnes de confiance la lisent.",
            f"Aujourd’hui, ils partent à {proved}."
            if proved
            else "Aujourd’hui, l’équipe qui administre CPro les remet.",
        ],
        action_url=url_for("addresses.confirm_school"),
        fields={"email": school.email},
        submit_label="Confirmer cette adresse",
        cancel_url=url_for("settings.establishment"),
        danger=False,
        form=form,
    )


def _question(token: str, status: int) -> ResponseReturnValue:
    with tenancy.platform_session("a link sent to an earlier address") as lookup:
        change = addresses.find_by_token(lookup, token, now=clock.utcnow())
        school = lookup.get_one(Establishment, change.establishment_id)
        account = lookup.get_one(Account, change.account_id) if change.account_id else None
        return render_page(
            "users/address_change.html",
            change=change,
            school=school.name or school.code,
            person=of_name(account.label) if account else "",
            token=token,
            status=status,
        )


def _answered(*, agrees: bool, is_account: bool) -> str:
    if agrees:
        return "C’est noté : la nouvelle adresse est confirmée."
    if is_account:
        return "C’est noté : l’ancienne adresse est rétablie, et le chef d’établissement en est averti."
    return "C’est noté : la nouvelle adresse ne recevra pas les codes d’un chef d’établissement, qui en est averti."
