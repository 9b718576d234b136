"""The signed-in person and their address, as pages and the journal name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from blinker import Signal
from flask import g, has_app_context, has_request_context, request
from flask_login import current_user

from cpro.core import clock
from cpro.core.permissions import Actor, Permission, Principal, Role, can


def current_principal() -> Principal | None:
    """Return the signed-in person or None; in a job, the person it reads for (`read_for`)."""
    if not has_request_context():
        return g.get("read_for") if has_app_context() else None
    principal = current_user._get_current_object()
    return principal if isinstance(principal, Principal) else None


@dataclass(frozen=True)
class SignInEnd:
    """When the sign-in of this request ends: if idle, and in any case."""

    idle_at: datetime
    latest_at: datetime
    #: whether it lasts longer, in a browser that its owner trusts
    is_trusted: bool

    def count_seconds(self) -> dict[str, int]:
        """Return the seconds left before each end, for the script that warns the user (`static/session.js`)."""
        now, second = clock.utcnow(), timedelta(seconds=1)
        idle, latest = (max(each - now, timedelta()) // second for each in (self.idle_at, self.latest_at))
        return {"idle": idle, "latest": latest}


def sign_in_end() -> SignInEnd | None:
    """Return when the sign-in of this request ends, None for an anonymous request."""
    end = g.get("sign_in_end") if current_principal() else None
    return end if isinstance(end, SignInEnd) else None


def read_for(actor: Actor, establishment_id: int) -> None:
    """Make the rest of a job read a school with the permissions of the person who requested it."""
    g.read_for = Principal(actor.id or 0, actor.kind, actor.label, "", Role(actor.role), establishment_id, 0)


def may(permission: Permission | None) -> bool:
    """Return whether the signed-in person has a permission; False for None."""
    return permission is not None and can(current_principal(), permission)


def get_principal() -> Principal:
    """Return the signed-in person. Only for views behind `@requires`."""
    principal = current_principal()
    if principal is None:
        raise RuntimeError("nobody is signed in: the view must be marked @requires")
    return principal


def current_actor() -> Actor:
    """Return the signed-in person as an actor of the journal. Only for views behind `@requires`."""
    return get_principal().acting_from(remote_address())


def current_account_id() -> int | None:
    """Return the id of the signed-in school account; None for a platform account, which owns no data in a school."""
    principal = current_principal()
    return principal.id if principal is not None and principal.kind == "account" else None


def remote_address() -> str:
    """Return the visitor's network address, as reported by the trusted proxies."""
    return request.remote_addr or "?"


def announce(fact: Signal, sender: object, **details: Any) -> None:
    """Send a `core.events` signal about a page view, with the signed-in person, their address and the time."""
    fact.send(sender, principal=current_principal(), origin=remote_address(), now=clock.utcnow(), **details)
