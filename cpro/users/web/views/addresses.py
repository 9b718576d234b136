"""Changed e-mail addresses: one's own, the school's as confirmed by its head, the link sent to an earlier address."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, tenancy
from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import format_day_of, of_name
from cpro.core.permissions import Permission, Principal, public, requires
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor, get_principal, remote_address
from cpro.core.web.forms import PasswordForm
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.establishments.models import Establishment
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.queries import get_current_establishment, lock_current_establishment
from cpro.users import queries
from cpro.users.errors import MaybeMistyped
from cpro.users.models import Account
from cpro.users.operations import addresses
from cpro.users.web.forms import OwnEmailForm

bp = Blueprint("addresses", __name__)


@bp.route("/mon-compte/adresse", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT, keeps_typed_form=True, code_again=True)
def own() -> ResponseReturnValue:
    """Show, confirm and change one's own e-mail address; a platform account has only its identifier."""
    principal = get_principal()
    if principal.kind == "platform":
        raise NotFound("L’adresse d’un compte de la plateforme est son identifiant : elle ne se change pas ici.")
    stored, counting = _own_addresses(principal)
    if request.method != "POST":
        return _own_page(OwnEmailForm.opened({"email": stored}), principal, stored, counting)
    form = OwnEmailForm.sent({"email": stored}, keeps_absent=False)
    if not form.validate():
        return _own_page(form, principal, stored, counting, form.status)
    try:
        _change_own(form, principal)
    except DomainError as refusal:
        return _own_page(form, principal, *_own_addresses(principal), refusal.status, refusal)
    said = "Votre adresse électronique est enregistrée."
    if form.email.data and form.email.data != counting:
        said += f" Un message y part, puis vos codes\u202f: s’il n’arrive pas à {form.email.data}, corrigez-la."
    return back_to(url_for("users.own_account"), said, OWN)


@bp.route("/admin/parametres/etablissement/confirmer-adresse", methods=["GET", "POST"])
@requires(Permission.SCHOOL_ADDRESS_CONFIRM)
def confirm_school() -> ResponseReturnValue:
    """Let the head confirm the school's address, with their password: heads' codes are then sent there."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return _confirmation(form), form.status
    try:
        with unit_of_work():
            school = lock_current_establishment()
            addresses.confirm_school_address(
                school,
                shown=request.form.get("email", ""),
                password_given=form.password_was_given,
                by=current_actor(),
                now=clock.utcnow(),
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


def _own_addresses(principal: Principal) -> tuple[str, str]:
    """Return a person's own address as last typed, and the one where their codes are sent."""
    with tenancy.platform_session("own account") as lookup:
        account = queries.get_account(lookup, principal.kind, principal.id)
        assert isinstance(account, Account), "platform accounts were answered before"
        return account.email, account.confirmed_email


def _own_page(
    form: OwnEmailForm,
    principal: Principal,
    stored: str,
    counting: str,
    status: int = 200,
    refusal: DomainError | None = None,
) -> ResponseReturnValue:
    context = {"principal": principal, "stored": stored, "counting": counting}
    context["asked"] = form.email.data if isinstance(refusal, MaybeMistyped) else request.form.get("asked", "")
    conflict = explain(form, refusal, stored={"email": stored})
    return render_page("users/own_email.html", form=form, conflict=conflict, status=status, **context)


def _change_own(form: OwnEmailForm, principal: Principal) -> None:
    """Change the address of the signed-in person."""
    with platform_unit_of_work("own address") as work:
        account = queries.lock_account(work.session, principal.kind, principal.id)
        assert isinstance(account, Account), "platform accounts were answered before"
        addresses.change_own_address(
            work.session,
            account,
            form.email.data or "",
            opened_on=form.version.data,
            confirmed=request.form.get("asked") == form.email.data,
            password_given=form.password_was_given,
            by=current_actor(),
            now=clock.utcnow(),
        )


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
            day=format_day_of(change.created_at, school.timezone),
            school=school.name or school.code,
            person=of_name(account.label) if account else "",
            token=token,
            is_refused=status == 422,
            status=status,
        )


def _answered(*, agrees: bool, is_account: bool) -> str:
    if agrees:
        return "C’est noté : la nouvelle adresse est confirmée."
    if is_account:
        return "C’est noté : l’ancienne adresse est rétablie, et le chef d’établissement en est averti."
    return "C’est noté : la nouvelle adresse ne recevra pas les codes d’un chef d’établissement, qui en est averti."
