"""The second factor: required at sign-in, set up and removed in one's own account."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.core import clock, tenancy
from cpro.core.errors import Conflict, DomainError, Forbidden
from cpro.core.formatting import format_instant
from cpro.core.permissions import Permission, access_of, public, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor, get_principal, remote_address
from cpro.core.web.forms import PasswordForm
from cpro.core.web.pages import OWN, back_to, find_way_back, is_local_path, render_page
from cpro.core.web.registry import registry
from cpro.users import queries, second_factor, second_factor_policy
from cpro.users.operations import second_factor as operations
from cpro.users.operations import sign_ins
from cpro.users.passkeys.queries import has_passkeys
from cpro.users.sign_in_models import SecondFactor
from cpro.users.web.forms import CodeAgainForm, SecondFactorForm, SignInCodeForm
from cpro.users.web.party import usable_party
from cpro.users.web.welcome import PENDING_SIGN_IN, find_pending_sign_in, known_accounts, trust_browser, welcome

bp = Blueprint("second_factor", __name__)

#: The cookie's entry with the mark of the secret that was begun in this sign-in.
_BEGUN = "second_factor_begun"


# --- At the sign-in ------------------------------------------------------------------------------------------------


@bp.route("/connexion/code", methods=["GET", "POST"])
@public
def ask() -> ResponseReturnValue:
    """Ask for the second-factor code, after the right password."""
    token, reference = find_pending_sign_in()
    if not token:
        return redirect(url_for("users.sign_in", suite=request.args.get("suite")), 303)
    form = SignInCodeForm()
    if not form.validate_on_submit():
        return _sign_in_page(form, token)
    now = clock.utcnow()
    try:
        outcome, factor_id = second_factor.pass_at_sign_in(
            token,
            reference,
            _given(form),
            is_known=reference in known_accounts(),
            trusts=form.trust.data,
            origin=remote_address(),
            now=now,
        )
    except second_factor.SignInOver as over:
        session.pop(PENDING_SIGN_IN, None)
        return back_to(url_for("users.sign_in", suite=request.args.get("suite")), over.message, "warning")
    except DomainError as refusal:
        form.blame(refusal)
        return _sign_in_page(form, token)
    answer = welcome(outcome)
    if form.trust.data:
        trust_browser(answer, factor_id, now=now)
    return answer


def _sign_in_page(form: SignInCodeForm, token: str) -> ResponseReturnValue:
    with tenancy.platform_session("sign-in: is there a passkey") as lookup:
        found = queries.find_pending_sign_in(lookup, token, now=clock.utcnow())
        offers = found is not None and _offers_passkey(lookup, found.account)
    return render_page("users/sign_in_code.html", form=form, offers_passkey=offers, status=form.status)


def _offers_passkey(lookup: Session, account: queries.AnyAccount) -> bool:
    """Return whether this page may ask for one of the person's passkeys."""
    return usable_party() is not None and has_passkeys(lookup, account)


def _given(form: CodeAgainForm) -> second_factor.Given:
    """Return what was given: a passkey's answer, or else the typed code."""
    party = usable_party()
    if form.passkey.data and party is not None:
        return second_factor.PasskeyAnswer(form.passkey.data, party)
    return second_factor.TypedCode(form.code.data or "")


# --- Asked again, before what matters most -------------------------------------------------------------------------


@bp.route("/mon-compte/code", methods=["GET", "POST"])
@requires(Permission.OWN_ACCOUNT)
def ask_again() -> ResponseReturnValue:
    """Ask for a code again, and return to the page that required it."""
    principal, asked = get_principal(), request.args.get("suite")
    target = asked if asked and is_local_path(asked) else url_for("users.home")
    if not principal.must_give_code:  # given in another window, or removed meanwhile
        return redirect(target, 303)
    form = CodeAgainForm()
    if not form.validate_on_submit():
        return _again_page(form)
    try:
        second_factor.pass_again(principal, _given(form), now=clock.utcnow())
    except DomainError as refusal:
        form.blame(refusal)
        return _again_page(form)
    flash(_welcome_back(request.args.get("fichier")), OWN)
    return redirect(target, 303)


def _welcome_back(file: str | None) -> str:
    """Return the message after the right code; with a link to the requested file, if it is one of ours."""
    words = "C’est bien vous\u202f: reprenez où vous en étiez."
    if not file or not is_local_path(file) or not _sends_file(file.partition("?")[0]):
        return words
    return words + Markup(' <a href="{}">Télécharger le fichier demandé</a>').format(file)


def _sends_file(path: str) -> bool:
    try:
        endpoint, _values = current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except (HTTPException, RequestRedirect):
        return False
    access = access_of(current_app.view_functions[endpoint])
    return access is not None and access.sends_file


def _again_page(form: CodeAgainForm) -> ResponseReturnValue:
    with tenancy.platform_session("a code is asked again: is there a passkey") as lookup:
        offers = _offers_passkey(lookup, _own(lookup))
    return render_page(
        "users/code_again.html", form=form, offers_passkey=offers, cancel_url=url_for("users.home"), status=form.status
    )


# --- In one's own account ------------------------------------------------------------------------------------------


@bp.get("/mon-compte/second-facteur")
@requires(Permission.OWN_ACCOUNT)
def index() -> ResponseReturnValue:
    """Show whether one has a second factor, and how to set it up."""
    return _page()


@bp.post("/mon-compte/second-facteur/commencer")
@requires(Permission.OWN_ACCOUNT)
def begin() -> ResponseReturnValue:
    """Generate a secret for one's own second factor, after checking the password."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return _page(password_form=form)
    with platform_unit_of_work("own second factor") as work:
        account, given = _lock_own(work.session), form.password_was_given
        factor = operations.begin(work.session, account, password_given=given, by=current_actor(), now=clock.utcnow())
        session[_BEGUN] = _mark(factor)
    return back_to(url_for(".index", retour=find_way_back()))


@bp.post("/mon-compte/second-facteur/confirmer")
@requires(Permission.OWN_ACCOUNT)
def confirm() -> ResponseReturnValue:
    """Activate the second factor with a first code from it; show the recovery codes, only this once."""
    form = SecondFactorForm()
    if not form.validate():
        return _page(code_form=form)
    try:
        second_factor.check_code(get_principal(), second_factor.TypedCode(form.code.data or ""), now=clock.utcnow())
    except DomainError as refusal:
        form.blame(refusal)
        return _page(code_form=form)
    with platform_unit_of_work("own second factor") as work:
        account = _lock_own(work.session)
        factor = queries.find_second_factor(work.session, account)
        if factor is None or not _is_begun_here(factor):
            raise Conflict("Votre second facteur a changé dans une autre fenêtre, ou une autre connexion.")
        codes = operations.confirm(work.session, factor, account, by=current_actor(), now=clock.utcnow())
        sign_ins.note_code_given(work.session, get_principal().sign_in_id, now=clock.utcnow())
    del session[_BEGUN]
    return render_page("users/recovery_codes.html", codes=codes, way_back=find_way_back())


@bp.post("/mon-compte/second-facteur/codes")
@requires(Permission.OWN_ACCOUNT, code_again=True)
def renew_codes() -> ResponseReturnValue:
    """Generate new recovery codes, after checking the password, and show them only this once."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return _page(password_form=form)
    with platform_unit_of_work("own second factor") as work:
        account = _lock_own(work.session)
        factor = queries.find_second_factor(work.session, account)
        if factor is None or factor.confirmed_at is None:
            raise Conflict("Votre second facteur n’est pas activé.")
        codes = operations.renew_codes(
            work.session,
            factor,
            account,
            password_given=form.password_was_given,
            by=current_actor(),
            now=clock.utcnow(),
        )
    return render_page("users/recovery_codes.html", codes=codes, way_back=find_way_back())


@bp.post("/mon-compte/second-facteur/retirer")
@requires(Permission.OWN_ACCOUNT, code_again=True)
def remove() -> ResponseReturnValue:
    """Remove one's own second factor, after checking the password, unless the role requires one."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return _page(password_form=form)
    with platform_unit_of_work("own second factor") as work:
        account = _lock_own(work.session)
        if second_factor_policy.is_asked(work.session, account):
            raise Forbidden("Un second facteur est exigé de votre rôle : il ne se retire pas.")
        given = form.password_was_given
        operations.remove(work.session, account, password_given=given, by=current_actor(), now=clock.utcnow())
    return back_to(url_for(".index"), "Votre second facteur est retiré.", OWN)


def _page(
    *, password_form: PasswordForm | None = None, code_form: SecondFactorForm | None = None
) -> ResponseReturnValue:
    refused = password_form or code_form
    with tenancy.platform_session("own second factor") as lookup:
        account = _own(lookup)
        factor = queries.find_second_factor(lookup, account)
        context: dict[str, Any] = {
            "is_asked": second_factor_policy.is_asked(lookup, account),
            "due": second_factor_policy.find_due_date(lookup, account),
            "confirmed_at": factor.confirmed_at if factor else None,
            "reset": _describe_reset(operations.find_reset(lookup, account)),
            "left": operations.count_recovery_codes(factor) if factor else 0,
        }
        if factor is not None and _is_begun_here(factor):
            secret = operations.read_secret(factor)
            context["secret"] = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
            address = operations.describe_address(secret, account)
            import segno  # imported only where one is rendered

            context["address"] = address
            context["picture"] = segno.make(address, error="m", micro=False).svg_data_uri(scale=4, light="#fff")
    return render_page(
        "users/second_factor.html",
        password_form=password_form or PasswordForm(formdata=None),
        code_form=code_form or SecondFactorForm(formdata=None),
        form=refused,
        way_back=find_way_back(),
        status=refused.status if refused else 200,
        **context,
    )


def _is_begun_here(factor: SecondFactor) -> bool:
    """Return whether a second factor waits to be confirmed, and by this browser: the one that gave the password."""
    return factor.confirmed_at is None and session.get(_BEGUN) == _mark(factor)


def _mark(factor: SecondFactor) -> str:
    return hashlib.sha256(factor.secret.encode()).hexdigest()


def _describe_reset(line: AuditEntry | None) -> str:
    """Return when and by whom one's second factor was removed, from the journal; "" if it was not."""
    if line is None:
        return ""
    role = f" ({name})" if (name := labels.role_name(line.actor_role)) else ""
    at = format_instant(line.at, registry().timezone())
    return (
        f"Réinitialisé le {at} par {line.actor_label}{role}\u202f: depuis, votre mot de passe suffit à se connecter. "
        "Si vous ne l’avez pas demandé, changez-le aussitôt et signalez-le."
    )


def _lock_own(session_: Any) -> queries.AnyAccount:
    principal = get_principal()
    return queries.lock_account(session_, principal.kind, principal.id)


def _own(session_: Any) -> queries.AnyAccount:
    principal = get_principal()
    return queries.get_account(session_, principal.kind, principal.id)
