"""What keeps other sites from acting through a person's browser: the token of forms, and where a form was sent from.

The token is masked anew in each answer, so that pages may be compressed: an attacker who has a browser ask for pages
and measures the answers would otherwise guess a compressed token letter by letter (BREACH,
https://www.breachattack.com).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import urlsplit

from flask import Flask, g, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf

from cpro.core.errors import Forbidden
from cpro.extensions import application


class SentFromElsewhere(Forbidden):
    """Refuse a form that a page of another site sent."""

    message = (
        "Ce formulaire a été envoyé depuis un autre site que CPro\u202f: rien n’a été enregistré. Ouvrez CPro à son "
        "adresse, et validez la page de nouveau."
    )


class MaskedCSRFProtect(CSRFProtect):
    """Flask-WTF's protection, whose tokens look random."""

    def init_app(self, app: Flask) -> None:
        """Protect an application; templates write the masked token."""
        super().init_app(app)
        app.jinja_env.globals["csrf_token"] = masked_token
        app.context_processor(lambda: {"csrf_token": masked_token})

    def _get_csrf_token(self) -> str | None:
        token = super()._get_csrf_token()
        return unmask(token) if token else token


def check_origin() -> None:
    """Raise `SentFromElsewhere` when the browser says that a page of another site sent this form.

    It says so in `Origin`, else in `Referer`. One that says neither is let through: the token is judged all the same.
    Ours are the host that was asked and the public address, which a proxy may not repeat.
    """
    said = request.headers.get("Origin", "")
    source = said if said not in ("", "null") else request.headers.get("Referer", "")
    ours = {request.host, _host_of(application.public_url)} - {""}
    if source and _host_of(source) not in ours:
        raise SentFromElsewhere


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:  # no address of anything
        return ""


def masked_token() -> str:
    """Return the token of this session as this answer writes it: the same for all its forms."""
    if "masked_csrf_token" not in g:
        g.masked_csrf_token = mask(generate_csrf())
    return str(g.masked_csrf_token)


def mask(token: str) -> str:
    """Return a token behind random bytes of its length, without a dot."""
    plain = token.encode()
    cover = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(cover + _xor(plain, cover)).decode().rstrip("=")


def unmask(token: str) -> str:
    """Return what `mask` was given; anything else is returned as it is, and judged as a token."""
    if "." in token:  # one of Flask-WTF's own
        return token
    try:
        both = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        half = len(both) // 2
        return _xor(both[half:], both[:half]).decode()
    except (binascii.Error, ValueError):
        return token


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


csrf = MaskedCSRFProtect()
