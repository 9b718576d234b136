"""Sign-in, activation, own account, home page."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from cpro.core import clock, tenancy
from cpro.core.errors import DomainError, NotFound
from cpro.core.passwords import password_rule
from cpro.core.permissions import Permission, Principal, public, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.validators import looks_like_school
from cpro.core.web.current_user import current_actor, current_principal, get_principal, remote_address
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.core.web.registry import registry
from cpro.core.web.shortcut import is_search_key_on
from cpro.users import authentication, identity, queries, recovery
from cpro.users.devices import describe_device
from cpro.users.operations import parked_forms, sign_ins
from cpro.users.web import guard
from cpro.users.web.forms import ActivationForm, ForgottenForm, OwnPasswordForm, SignInForm
from cpro.users.web.welcome import known_accounts, remember_school, remembered_school, trusted_factors, welcome

bp = Blueprint("users", __name__)


_NO_SCHOOL = (
    "Cette adresse ne correspond à aucune page. Si c’est celle que votre établissement vous a donnée pour vous "
    "connecter, vérifiez-en le code auprès de lui."
)


# --- Home ----------------------------------------------------------------------------------------------------------


@bp.get("/")
@requires(Permission.OWN_ACCOUNT)
def home() -> ResponseReturnValue:
    """Redirect each role to its first page."""
    principal = get_principal()
    if principal.establishment_id is None:
        return redirect(url_for("schools.choose"), 303)
    return redirect(url_for(registry().find_first_endpoint(principal) or "users.own_account"), 303)


@bp.get("/<school>/")
@public
def school_door(school: str) -> ResponseReturnValue:
    """Redirect to the sign-in page with the school filled in."""
    with tenancy.platform_session("sign-in: the school is not known yet") as lookup:
        found = queries.find_establishment(lookup, school)
        if found is None:
            raise NotFound(_NO_SCHOOL if looks_like_school(school) else "")
        code = found.code
    return redirect(url_for("users.sign_in", establishment=code), 303)


# --- Signing in ----------------------------------------------------------------------------------------------------


@bp.route("/connexion", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Sign in with a school, a login and a password."""
    if request.method != "POST" and current_principal() is not None:
        return redirect(url_for("users.home"), 303)
    form = SignInForm(data={"establishment": _asked_school(), "remember_school": True})
    if not form.validate_on_submit():
        return render_page("users/sign_in.html", form=form, status=form.status)
    attempt = _attempt(form.establishment.data, form.login.data, form.password.data)
    try:
        outcome = authentication.sign_in(attempt, now=clock.utcnow())
    except DomainError as refusal:
        form.blame(refusal)
        return render_page("users/sign_in.html", form=form, status=form.status)
    if isinstance(outcome, authentication.CodeTyped):
        return _offer_activation(attempt)
    answer = welcome(outcome)
    remember_school(answer, form.establishment.data if form.remember_school.data else "")
    return answer


@bp.post("/deconnexion")
@public
def sign_out() -> ResponseReturnValue:
    """Sign this browser out; if already signed out, redirect to the same page."""
    principal = current_principal()
    if principal is not None:
        with platform_unit_of_work("sign-out") as work:
            account = queries.lock_account(work.session, principal.kind, principal.id)
            sign_ins.end_sign_in(work.session, principal.sign_in_id, account, by=current_actor(), now=clock.utcnow())
            refused = parked_forms.refused_owner(principal.kind, principal.id, principal.sign_in_id)
            parked_forms.forget_refused(work.session, owner=refused)
    owner = session.get(guard.OWNER)
    logout_user()
    session.clear()
    if owner:  # what another window of theirs may still post is kept for this owner
        session[guard.OWNER] = owner
    return back_to(url_for("users.sign_in"), "Vous êtes déconnecté.")


@bp.route("/activation", methods=["GET", "POST"])
@public
def activate() -> ResponseReturnValue:
    """Choose a password with a one-time code."""
    form = ActivationForm(data={"establishment": _asked_school(), "login": request.args.get("login", "")[:254]})
    if not form.validate_on_submit():
        return _activation_page(form)
    attempt = _attempt(form.establishment.data, form.login.data, form.code.data)
    try:
        outcome = authentication.activate(attempt, form.password.data, now=clock.utcnow())
    except DomainError as refusal:
        form.blame(refusal)
        return _activation_page(form)
    answer = welcome(outcome)  # starts a new session, so the message comes after
    flash(
        "Votre mot de passe est enregistré."
        if outcome.awaits_code
        else "Votre mot de passe est enregistré. Vous êtes connecté.",
        "success",
    )
    return answer


@bp.route("/mot-de-passe-oublie", methods=["GET", "POST"])
@public
def forgotten_password() -> ResponseReturnValue:
    """Send a code by e-mail to people with an address; the answer is the same for everyone."""
    form = ForgottenForm(data={"establishment": _asked_school()})
    if not form.validate_on_submit():
        return render_page("users/forgotten.html", form=form, sent=False, status=form.status)
    recovery.answer_forgotten(
        form.establishment.data, form.login.data, public_url=current_app.config["CPRO_PUBLIC_URL"], now=clock.utcnow()
    )
    return render_page("users/forgotten.html", form=form, sent=True)


# --- Own account ---------------------------------------------------------------------------------------------------


@bp.route("/mon-compte", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT)
def own_account() -> ResponseReturnValue:
    """Show one's own account and change one's password."""
    principal = get_principal()
    form = OwnPasswordForm()
    if form.validate_on_submit() and _change_password(form, principal):
        return back_to(
            url_for("users.own_account"),
            "Votre mot de passe est changé. Vos connexions sur d’autres appareils ont pris fin.",
            OWN,
        )
    return render_page(
        "users/account.html",
        form=form,
        principal=principal,
        rule=_rule(principal),
        sections=registry().account_sections(),
        search_key_on=is_search_key_on(),
        status=form.status,
    )


def _asked_school() -> str:
    """Return the school to prefill in a form: from the URL, or else the one stored in this browser.

    A URL with a person but no school is for a platform account.
    """
    return request.args.get("establishment", "")[:254] or ("" if request.args.get("login") else remembered_school())


def _rule(principal: Principal) -> str:
    return password_rule(principal.role.is_privileged)


def _rules() -> dict[str, str]:
    return {"student": password_rule(False), "staff": password_rule(True)}


def _change_password(form: OwnPasswordForm, principal: Principal) -> bool:
    """Change the signed-in person's password; return whether it succeeded, else with the refusal on the form."""
    try:
        with platform_unit_of_work("own password") as work:
            sign_ins.change_own_password(
                work.session,
                queries.lock_account(work.session, principal.kind, principal.id),
                compared=form.compared,
                password=form.password.data,
                by=current_actor(),
                now=clock.utcnow(),
                sign_in_id=principal.sign_in_id,
            )
    except DomainError as refusal:
        form.blame(refusal)
        return False
    return True


def check_own_password(typed: str) -> str | None:
    """Compare a typed password with that of the signed-in person; see `identity.check_password`."""
    return identity.check_password(get_principal(), typed, now=clock.utcnow())


def _attempt(establishment: str | None, login: str, secret: str) -> authentication.Attempt:
    school = authentication.canonical_school(establishment or "")
    device = describe_device(request.user_agent.string)
    return authentication.Attempt(school, login, secret, remote_address(), device, known_accounts(), trusted_factors())


def _offer_activation(attempt: authentication.Attempt) -> ResponseReturnValue:
    flash("Ce code est bon : choisissez maintenant votre mot de passe.", "info")
    given = {"establishment": attempt.establishment, "login": attempt.login, "code": attempt.secret}
    return _activation_page(ActivationForm(formdata=None, data=given))


def _activation_page(form: ActivationForm) -> ResponseReturnValue:
    return render_page("users/activation.html", form=form, rules=_rules(), status=form.status)
