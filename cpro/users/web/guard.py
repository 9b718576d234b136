"""Check every request before its view runs: the person, what the route requires, the current school.

Closed by default: an unmarked route answers 403. The input of a person whose sign-in ended meanwhile is kept, if the
form came from our own pages.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import Forbidden

from cpro.config import INACTIVITY_LIMIT
from cpro.core import clock, tenancy
from cpro.core.database_errors import is_busy
from cpro.core.locks import wait_at_most
from cpro.core.open_schools import OpenSchool
from cpro.core.parsing import read_id
from cpro.core.permissions import SCHOOL_FREE, Access, Permission, Principal, access_of, can
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.assets import FILES
from cpro.core.web.csrf import check_origin, csrf
from cpro.core.web.current_user import SignInEnd, current_actor, current_principal, get_principal
from cpro.core.web.error_pages import SECRET_FIELDS
from cpro.core.web.pages import asks_for_json, find_source_page, page_address
from cpro.core.web.registry import registry
from cpro.establishments.queries import attach_current_establishment
from cpro.extensions import login_manager
from cpro.users import authentication, queries, second_factor_policy
from cpro.users.emergency.queries import is_shut_out
from cpro.users.models import Account
from cpro.users.operations import parked_forms, sign_ins
from cpro.users.sign_in_life import find_latest_end, is_over
from cpro.users.web import lost_uploads, refused_forms

#: Answers a monitor without any query, not even for the signed-in person.
ALIVE = "pages.alive"
#: The cookie's entry that names a parked form.
PARKED = "parked_form"
#: The cookie's entry with the owner of the sign-in: the sign-in may be gone when a form arrives.
OWNER = "owner"
#: The blueprints available to people who must first set up a second factor.
_BEFORE_SECOND_FACTOR = frozenset({"second_factor", "sessions"})
_SEEN_TO_THE = timedelta(minutes=1)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Fields never kept, in any form: secrets, and what is generated for each page.
_NEVER_KEPT = SECRET_FIELDS | {"csrf_token"}
#: The answer to a script that saves while the user types; the text remains on the page, and posting it parks it.
_SESSION_ENDED = (
    "Votre session a pris fin\u202f: ce que vous écrivez n’est plus enregistré. "
    "Votre texte reste sur cette page\u202f; validez-le pour vous connecter à nouveau\u202f: "
    "il vous sera présenté après la connexion."
)

#: The answer to a script if a page would ask for a code.
_CODE_ASKED = (
    "Rien n’est fait\u202f: un code de votre second facteur est demandé avant. Rechargez la page pour l’indiquer."
)


def install(app: Flask) -> None:
    """Install the guard before every view of the application."""
    login_manager.user_loader(load_principal)
    login_manager.session_protection = None  # sign-ins are our own rows: a change of network is no sign of theft
    app.before_request(_check_request)
    app.after_request(refused_forms.forget_saved)
    app.register_error_handler(tenancy.ScopeEnded, lambda error: _leave_closed_school())


def load_principal(token: str) -> Principal | None:
    """Return the person of a cookie's token, or None if signed out, disabled, idle or signed in for too long."""
    now = clock.utcnow()
    with tenancy.platform_session("who is signed in") as lookup:
        found = queries.find_sign_in(lookup, token)
        if found is None:
            return None
        account, sign_in = found.account, found.sign_in
        if is_over(sign_in, now):
            return None
        kind = authentication.kind_of(account)
        school = account.establishment_id if isinstance(account, Account) else sign_in.entered_establishment_id
        label = account.label
        if account.can(Permission.MANDATE_ENTER) and school is not None:
            label = name_in_school(account.id, school) or label
        must_set = second_factor_policy.must_set_now(lookup, found, now=now)
        must_give = second_factor_policy.must_give_code(found, now=now)
        read_at = (account.news_read_at or account.created_at) if isinstance(account, Account) else None
        read_line = account.news_read_line if isinstance(account, Account) else None
        principal = Principal(
            *(account.id, kind, label, account.login, account.role, school, sign_in.id, must_set, must_give),
            news_read_at=read_at,
            news_read_line=read_line,
        )
        seen_at, latest_at = sign_in.last_seen_at, find_latest_end(sign_in)
        is_trusted = sign_in.trusted_until is not None
        g.school_worked_in = found.school
    if seen_at < now - _SEEN_TO_THE and _note_seen(token, now):
        seen_at = now
    g.sign_in_end = SignInEnd(seen_at + INACTIVITY_LIMIT, latest_at, is_trusted)
    return principal


def _note_seen(token: str, now: datetime) -> bool:
    """Record the last activity of a sign-in; return False if another transaction is writing: the next page records it.

    A page that only reads never waits for a writer.
    """
    try:
        with wait_at_most(0), platform_unit_of_work("still active") as work:
            again = queries.find_sign_in(work.session, token)
            if again:
                again.sign_in.last_seen_at = now
    except OperationalError as error:
        if not is_busy(error):
            raise
        return False
    return True


def name_in_school(inspector_id: int, establishment_id: int) -> str | None:
    """Return a school's name for an inspector: its journal must contain nothing else of their account."""
    return registry().name_in_school(inspector_id, establishment_id)


def _check_request() -> ResponseReturnValue | None:
    """Return None to let the request through, or the response to send instead."""
    endpoint = request.endpoint
    if endpoint in FILES or endpoint == ALIVE:
        return None
    principal = current_principal()
    # First: the layout of an error page shows the school too.
    if not _open_scope(principal) and endpoint != "users.sign_out":
        return _leave_closed_school()
    if endpoint is None:
        return None  # no route: 404 or 405 follows
    if request.method not in _SAFE_METHODS:
        check_origin()
    access = access_of(current_app.view_functions[endpoint])
    if access is None:
        raise Forbidden(f"route {endpoint} is marked neither @requires nor @public")
    if principal is None and endpoint == "users.sign_out":
        return redirect(url_for("users.sign_in"), 303)  # already signed out, in another window
    if access.permission is None:
        _check_token()
        return None
    return _check_access(principal, access, access.permission)


def _check_access(principal: Principal | None, access: Access, permission: Permission) -> ResponseReturnValue | None:
    """Check a request for a route that requires a permission; see `_check_request`."""
    if principal is None:
        return _send_to_sign_in(access, permission)
    if principal.can(Permission.SCHOOL_CHOOSE) and principal.establishment_id is None and permission not in SCHOOL_FREE:
        return redirect(url_for("schools.choose"), 303)
    if not can(principal, permission):
        raise Forbidden  # before any input is read or kept
    if principal.must_set_second_factor and request.blueprint not in _BEFORE_SECOND_FACTOR:
        return redirect(url_for("second_factor.index", retour=_here() if request.method == "GET" else None), 303)
    if access.max_body is not None:
        request.max_content_length = access.max_body
    if not _token_is_right():
        return _offer_again(access, principal)
    if access.asks_code and principal.must_give_code:
        return _ask_code(access, principal)
    _restore_typed(principal, access)
    return None


def _restore_typed(principal: Principal, access: Access) -> None:
    """Restore the unsaved input of a page; watch a form that is posted now."""
    if access.keeps_typed_form and request.method == "POST":
        refused_forms.watch(principal, page_address())
    refused_forms.restore(principal, page_address())
    _restore_typed_form(principal)
    if request.method == "GET":
        lost_uploads.flash_names(f"{principal.kind}:{principal.id}")


def _open_scope(principal: Principal | None) -> bool:
    """Set the request's session to the current school; without one, every read of school data is refused.

    An inspector's scope is read again from their mandate at each request. Return False if there is none any more.
    """
    if principal is None or principal.establishment_id is None:
        return True
    if principal.can(Permission.MANDATE_ENTER):
        school = find_open_school(principal, principal.establishment_id)
        if school is None:
            return False
        tenancy.enter(school.scope)
    else:
        tenancy.enter(
            tenancy.Scope(
                principal.establishment_id,
                read_only=principal.can(Permission.SCHOOLS_ENTER),
                rights=principal.role.permissions,
            )
        )
    if g.school_worked_in is not None:
        attach_current_establishment(g.school_worked_in)
    return True


def find_open_school(principal: Principal, establishment_id: int) -> OpenSchool | None:
    """Return a school as currently open to an inspector, or None."""
    found = registry().open_schools(principal.id, clock.utcnow())
    return next((each for each in found if each.establishment_id == establishment_id), None)


def _leave_closed_school() -> ResponseReturnValue:
    """Take an inspector out of a school that is no longer open to them, with a message."""
    principal = get_principal()
    with platform_unit_of_work("an inspector's access has ended") as work:
        sign_ins.enter_school(work.session, principal.sign_in_id, None, by=current_actor(), now=clock.utcnow())
    flash(
        "L’accès que cet établissement vous avait ouvert a pris fin, ou vient d’être fermé ou suspendu. "
        "Vous en êtes sorti ; rien d’autre ne change.",
        "warning",
    )
    return redirect(url_for("schools.choose"), 303)


def _check_token() -> None:
    if request.method not in _SAFE_METHODS:
        csrf.protect()


def _token_is_right() -> bool:
    from flask_wtf.csrf import CSRFError

    try:
        _check_token()
    except CSRFError:
        return False
    return True


def _send_to_sign_in(access: Access, permission: Permission) -> ResponseReturnValue:
    """Redirect to the sign-in page and back afterwards; keep the input of a person who may post it once signed in."""
    if request.method in _SAFE_METHODS:
        return redirect(url_for("users.sign_in", suite=_here()), 303)
    if asks_for_json():
        return {"message": _SESSION_ENDED}, 401
    owner = session.get(OWNER)  # without it, on a shared computer, the next person would see the form
    if owner and not _could_post(owner, permission):
        owner = None
    if owner and access.keeps_typed_form and _comes_from_our_pages() and _park(owner):
        flash("Votre session a pris fin. Ce que vous aviez saisi vous sera présenté après la connexion.", "warning")
    elif owner and _was_sent_from_ours() and lost_uploads.is_upload():
        lost_uploads.note(owner, access.max_body)
    return redirect(
        url_for("users.sign_in", suite=page_address() if access.keeps_typed_form else find_source_page()), 303
    )


def _could_post(owner: str, permission: Permission) -> bool:
    """Return whether the owner of the ended sign-in still has a permission: otherwise nothing is kept."""
    with tenancy.platform_session("a form posted after the sign-in ended") as lookup:
        account = _find_owner(lookup, owner)
        return account is not None and account.may_sign_in and account.can(permission)


def _find_owner(lookup: Session, owner: str) -> queries.AnyAccount | None:
    kind, _, number = owner.partition(":")
    account_id = read_id(number)
    return queries.find_owner(lookup, kind, account_id) if account_id else None


def _offer_again(access: Access, principal: Principal) -> ResponseReturnValue:
    """Answer a form without this sign-in's token: shown again if it came from our pages, refused otherwise.

    Files cannot be restored: the page they were sent from names them.
    """
    if asks_for_json():
        return {"message": _SESSION_ENDED}, 403
    if access.keeps_typed_form and _comes_from_our_pages() and _park(f"{principal.kind}:{principal.id}"):
        return redirect(page_address(), 303)
    page = find_source_page()
    if lost_uploads.is_upload() and page and _was_sent_from_ours():
        flash(lost_uploads.sentence_of([each.filename or "" for each in request.files.values() if each]), "warning")
        return redirect(page, 303)
    csrf.protect()  # answers 400
    raise AssertionError("unreachable: the token was refused just before")


def _ask_code(access: Access, principal: Principal) -> ResponseReturnValue:
    """Redirect to the page that asks for a code again, and back afterwards; keep the input.

    Requesting a file leaves its source page displayed: return there, with a link to the file.
    """
    if asks_for_json():
        return {"message": _CODE_ASKED}, 403
    source, file = find_source_page(), None
    if request.method in _SAFE_METHODS:
        back = (source if access.sends_file else None) or _here()
        file = _here() if back != _here() else None
    elif access.keeps_typed_form and _park(f"{principal.kind}:{principal.id}"):
        back = page_address()
    else:
        back = source or url_for("users.home")
    return redirect(url_for("second_factor.ask_again", suite=back, fichier=file), 303)


def _comes_from_our_pages() -> bool:
    """Return whether the browser reports that the form was on one of our pages (`Sec-Fetch-Site`, else `Origin`).

    A browser too old to report either is only trusted if the form's token is right.
    """
    said = _was_sent_from_ours()
    return _token_is_right() if said is None else said


def _was_sent_from_ours() -> bool | None:
    """Return whether the browser reports that one of our pages sent this, None if it reports nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return urlsplit(origin).netloc == request.host if origin else None


def _park(owner: str) -> bool:
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _NEVER_KEPT]
    with platform_unit_of_work("keeping a form typed before the sign-in ended") as work:
        account = _find_owner(work.session, owner)
        token = parked_forms.park(
            work.session,
            owner=owner,
            path=page_address(),
            fields=fields,
            while_closed=account is not None and is_shut_out(work.session, account),
            now=clock.utcnow(),
        )
    if token is None:
        return False
    session[PARKED] = token
    return True


def _restore_typed_form(principal: Principal) -> None:
    """Restore the parked form on its page; forget it once the page is posted or its owner discards it."""
    token = session.get(PARKED)
    if not token:
        return
    with tenancy.platform_session("a form typed before the sign-in ended") as lookup:
        fields = parked_forms.read(
            lookup, token=token, owner=f"{principal.kind}:{principal.id}", path=page_address(), now=clock.utcnow()
        )
    if fields is None:
        return
    if request.method == "GET" and "abandonner" not in request.args:
        g.typed_form = fields
        g.pop("typed_errors", None)
    else:
        session.pop(PARKED)


def parked_path(owner: str) -> str | None:
    """Return the page of the form that this browser has parked for its owner, or None."""
    token: Any = session.get(PARKED)
    if not token:
        return None
    with tenancy.platform_session("a form typed before the sign-in ended") as lookup:
        return parked_forms.find_path(lookup, token=token, owner=owner, now=clock.utcnow())


def _here() -> str:
    return request.full_path.rstrip("?")
