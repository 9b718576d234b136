"""Who is signed in, and from where: as pages and the journal name them."""

from __future__ import annotations

from typing import Any

from blinker import Signal
from flask import request
from flask_login import current_user

from cpro.core import clock
from cpro.core.permissions import Actor, Permission, Principal, can


def current_principal() -> Principal | None:
    """Return who is signed in, or None."""
    principal = current_user._get_current_object()
    return principal if isinstance(principal, Principal) else None


def may(permission: Permission | None) -> bool:
    """Return whether the person signed in has a permission; one that was not named, nobody has."""
    return permission is not None and can(current_principal(), permission)


def current_actor() -> Actor:
    """Return who is signed in, as the journal names them. Reserved to views behind `@requires`."""
    principal = current_principal()
    if principal is None:
        raise RuntimeError("nobody is signed in: the view must be marked @requires")
    return principal.acting_from(remote_address())


def remote_address() -> str:
    """Return the visitor's network address, as the trusted proxies give it."""
    return request.remote_addr or "?"


def announce(fact: Signal, sender: object, **details: Any) -> None:
    """Announce a fact of `core.events` that a page reads, with who is signed in, from where, and when."""
    fact.send(sender, principal=current_principal(), origin=remote_address(), now=clock.utcnow(), **details)
