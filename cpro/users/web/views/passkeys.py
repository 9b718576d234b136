"""Passkeys: add, name and delete them in one's own account; generate the challenges that pages fetch for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, tenancy
from cpro.core.errors import DomainError
from cpro.core.formatting import format_instant
from cpro.core.permissions import Permission, public, requires
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_actor, get_principal
from cpro.core.web.forms import typed_before_sign_in
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.core.web.registry import registry
from cpro.users import authentication, queries
from cpro.users.passkeys import operations
from cpro.users.passkeys.queries import list_passkeys
from cpro.users.web.forms import PasskeyForm
from cpro.users.web.party import describe_obstacle, usable_party
from cpro.users.web.welcome import find_pending_sign_in

bp = Blueprint("passkeys", __name__)

_PAGE = "/mon-compte/second-facteur/cles"
_NO_ANSWER = (
    "Votre navigateur n’a créé aucune clé : cette page a besoin de JavaScript, et d’un navigateur qui connaît les clés "
    "d’accès."
)


@bp.get(_PAGE)
@requires(Permission.OWN_ACCOUNT, code_again=True)
def index() -> ResponseReturnValue:
    """List one's own passkeys, and offer to add one."""
    return _page(PasskeyForm(typed_before_sign_in()))


@bp.post(_PAGE)
@requires(Permission.OWN_ACCOUNT, keeps_typed_form=True, code_again=True)
def add() -> ResponseReturnValue:
    """Add the passkey that the browser has just created."""
    form, party, now = PasskeyForm(), usable_party(), clock.utcnow()
    if not form.validate():
        return _page(form, 422)
    if party is None or not form.passkey.data:
        return _page(form, 422, describe_obstacle() or _NO_ANSWER)
    principal = get_principal()
    with platform_unit_of_work("a new passkey: its challenge is used up") as work:
        queries.lock_account(work.session, principal.kind, principal.id)
        challenge = operations.take_challenge(work.session, principal.sign_in_id, now=now)
    try:
        with platform_unit_of_work("a new passkey") as work:
            operations.register(
                work.session,
                queries.lock_account(work.session, principal.kind, principal.id),
                name=form.name.data,
                answer=form.passkey.data,
                challenge=challenge,
                party=party,
                by=current_actor(),
                now=now,
            )
    except DomainError as refusal:
        form.blame(refusal)
        return _page(form, refusal.status)
    return back_to(url_for(".index"), f"La clé « {form.name.data} » est ajoutée.", OWN)


@bp.post(f"{_PAGE}/defi")
@requires(Permission.OWN_ACCOUNT, code_again=True)
def begin() -> ResponseReturnValue:
    """Return the options for creating a passkey to the script."""
    return _own_options(operations.registration_options)


@bp.post(f"{_PAGE}/<int:passkey_id>/supprimer")
@requires(Permission.OWN_ACCOUNT, code_again=True)
def remove(passkey_id: int) -> ResponseReturnValue:
    """Delete one of one's own passkeys."""
    principal = get_principal()
    with platform_unit_of_work("own passkeys") as work:
        account = queries.lock_account(work.session, principal.kind, principal.id)
        name = operations.remove(work.session, account, passkey_id, by=current_actor(), now=clock.utcnow())
    return back_to(url_for(".index"), f"La clé « {name} » est supprimée : elle n’ouvre plus rien.", OWN)


@bp.post("/connexion/code/defi")
@public
def challenge_at_sign_in() -> ResponseReturnValue:
    """Return the challenge for a passkey to the sign-in script, after the right password."""
    token, _reference = find_pending_sign_in()
    party, now = usable_party(), clock.utcnow()
    with platform_unit_of_work("sign-in: a passkey is asked") as work:
        found = queries.find_pending_sign_in(work.session, token, now=now) if token else None
        if found is None or party is None:
            return {"message": "La connexion a trop attendu : indiquez à nouveau votre mot de passe."}, 403
        kind, sign_in_id = authentication.kind_of(found.account), found.sign_in.id
        account = queries.lock_account(work.session, kind, found.account.id)
        return operations.request_options(work.session, account, sign_in_id, party, now=now)


@bp.post("/mon-compte/code/defi")
@requires(Permission.OWN_ACCOUNT)
def challenge_again() -> ResponseReturnValue:
    """Return the challenge for a passkey to the script of the page that requires a code again."""
    return _own_options(operations.request_options)


def _own_options(draw: Callable[..., dict[str, Any]]) -> ResponseReturnValue:
    """Return the options for the signed-in person, with a new challenge; or a message if passkeys do not work."""
    party, principal = usable_party(), get_principal()
    if party is None:
        return {"message": describe_obstacle()}, 409
    with platform_unit_of_work("own passkeys: a challenge") as work:
        account = queries.lock_account(work.session, principal.kind, principal.id)
        return draw(work.session, account, principal.sign_in_id, party, now=clock.utcnow())


def _page(form: PasskeyForm, status: int = 200, refusal: str = "") -> ResponseReturnValue:
    principal = get_principal()
    timezone = registry().timezone()
    if refusal:
        form.blame(DomainError(refusal, field="name"))
    with tenancy.platform_session("own passkeys") as lookup:
        account = queries.get_account(lookup, principal.kind, principal.id)
        factor = queries.find_second_factor(lookup, account)
        rows: list[dict[str, Any]] = [
            {
                "id": each.id,
                "name": each.name,
                "added": format_instant(each.created_at, timezone),
                "used": format_instant(each.last_used_at, timezone) if each.last_used_at else "jamais",
            }
            for each in list_passkeys(lookup, account)
        ]
    return render_page(
        "users/passkeys.html",
        form=form,
        rows=rows,
        is_on=factor is not None and factor.confirmed_at is not None,
        obstacle=describe_obstacle(),
        status=status,
    )
