"""CSRF protection: the token of forms and the check of where a form was sent from.

The token is masked differently in each answer, so that pages may be compressed: otherwise an attacker who makes a
browser request pages and measures the answers could guess a compressed token letter by letter (BREACH,
https://www.breachattack.com).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import urlsplit

from flask import Flask, g, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError, generate_csrf

from cpro.core.errors import Forbidden
from cpro.extensions import application


class SentFromElsewhere(Forbidden):
    """Raised for a form that a page of another site sent."""

    message = (
        "Ce formulaire a été envoyé depuis un autre site que CPro\u202f: rien n’a été enregistré. Ouvrez CPro à son "
        "adresse, et validez la page de nouveau."
    )


class MaskedCSRFProtect(CSRFProtect):
    """Flask-WTF's protection with masked tokens."""

    def init_app(self, app: Flask) -> None:
        """Protect an application, and make templates write the masked token."""
        super().init_app(app)
        app.jinja_env.globals["csrf_token"] = masked_token
        app.context_processor(lambda: {"csrf_token": masked_token})

    def _get_csrf_token(self) -> str | None:
        token = super()._get_csrf_token()
        return unmask(token) if token else token


def check_origin() -> None:
    """Raise `SentFromElsewhere` when the browser reports that a page of another site sent this form.

    The browser reports it in `Origin`, else in `Referer`. A request with neither is accepted: the token is checked
    anyway. Our own origins are the requested host and the public address, which a proxy may not pass on.
    """
    said = request.headers.get("Origin", "")
    source = said if said not in ("", "null") else request.headers.get("Referer", "")
    ours = {request.host, _host_of(application.public_url)} - {""}
    if source and _host_of(source) not in ours:
        raise SentFromElsewhere


def sent_from_our_page() -> bool:
    """Return whether the request holds a token of this session: without the database, nothing else tells."""
    try:
        csrf.protect()
    except CSRFError:
        return False
    return True


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:  # not a valid URL
        return ""


def masked_token() -> str:
    """Return the masked token of this session, the same for all the forms of one answer."""
    if "masked_csrf_token" not in g:
        g.masked_csrf_token = mask(generate_csrf())
    return str(g.masked_csrf_token)


def mask(token: str) -> str:
    """Return a token XORed with random bytes of its length, which precede it; the result contains no dot."""
    plain = token.encode()
    cover = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(cover + _xor(plain, cover)).decode().rstrip("=")


def unmask(token: str) -> str:
    """Return the token given to `mask`; anything else is returned unchanged, and then validated as a token."""
    if "." in token:  # an unmasked Flask-WTF token
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
