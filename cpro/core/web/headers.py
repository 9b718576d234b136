"""Security headers of every response, and cookies limited to HTTPS and to this host."""

from __future__ import annotations

import base64
import secrets

from flask import Flask, Request, Response, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from werkzeug.exceptions import SecurityError

from cpro.core.errors import DomainError
from cpro.core.web.assets import FILES

#: What `send_file` sets by itself in every response, which is no choice of the view.
_BY_SEND_FILE = "no-cache"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def add_headers(response: Response) -> Response:
    """Add the headers that browsers enforce: only our own scripts, no frame, nothing kept by the browser.

    A response that sets its own `Cache-Control`, as pictures do, and static files are excepted.
    """
    nonce = csp_nonce()
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; "  # data: for the QR code of a second factor
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if response.status_code in (429, 503) and "seconds_to_wait" in g:
        response.headers.setdefault("Retry-After", str(g.seconds_to_wait))
    given = response.headers.get("Cache-Control")
    if given is None or (given == _BY_SEND_FILE and request.endpoint not in FILES):
        response.headers["Cache-Control"] = "no-store"  # personal data, on shared computers
    return response


def note_wait(refusal: DomainError) -> None:
    """Set `Retry-After` in the response if waiting is enough to lift the refusal."""
    if refusal.seconds:
        g.seconds_to_wait = refusal.seconds


def csp_nonce() -> str:
    """Return the nonce of this response's scripts, generated once per request."""
    if "csp_nonce" not in g:
        g.csp_nonce = base64.b64encode(secrets.token_bytes(16)).decode()
    return str(g.csp_nonce)


class SessionInterface(SecureCookieSessionInterface):
    """A session whose cookie requires HTTPS, except on localhost over plain HTTP."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """Return the content of the cookie, whatever its age: the sign-in's row decides how long it is valid.

        With Flask's check of the age, setting the clock back would put cookies in the future and sign all users out.
        """
        kept = request.cookies.get(self.get_cookie_name(app), "")
        serializer = self.get_signing_serializer(app)
        try:
            return self.session_class(serializer.loads(kept) if serializer and kept else None)
        except BadSignature:
            return self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the session's cookie, except with shared static files, which browsers cache for a year."""
        if request.endpoint not in FILES:
            super().save_session(app, session, response)

    def get_cookie_name(self, app: Flask) -> str:
        """Return the name of the session's cookie."""
        return cookie_name(super().get_cookie_name(app))

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the session's cookie is limited to HTTPS."""
        return cookies_are_secure()


def cookie_name(name: str) -> str:
    """Return the name of a cookie as sent; over HTTPS, a prefix prevents other hosts of the domain from setting it."""
    return f"__Host-{name}" if cookies_are_secure() else name


def cookies_are_secure() -> bool:
    """Return whether cookies must be limited to HTTPS: everywhere except on localhost."""
    try:
        host = request.host
    except SecurityError:  # an unknown host is refused without a cookie, but Flask still asks
        return True
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return request.is_secure or name not in _LOOPBACK
