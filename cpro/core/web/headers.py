"""What browsers are told with every answer: security headers, and cookies over HTTPS alone, of this host alone."""

from __future__ import annotations

import base64
import secrets

from flask import Flask, Request, Response, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from werkzeug.exceptions import SecurityError

from cpro.core.errors import DomainError
from cpro.core.web.assets import FILES

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def add_headers(response: Response) -> Response:
    """Give an answer what browsers must enforce: scripts of ours alone, no frame, nothing kept of a page."""
    nonce = csp_nonce()
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; "  # data: draws the code of a second factor
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
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")  # other people's data, on shared computers
    return response


def note_wait(refusal: DomainError) -> None:
    """Have the answer say in `Retry-After` when to ask again, if time alone lifts a refusal."""
    if refusal.seconds:
        g.seconds_to_wait = refusal.seconds


def csp_nonce() -> str:
    """Return the nonce of this answer's scripts, generated once per request."""
    if "csp_nonce" not in g:
        g.csp_nonce = base64.b64encode(secrets.token_bytes(16)).decode()
    return str(g.csp_nonce)


class SessionInterface(SecureCookieSessionInterface):
    """Ask for HTTPS, except on the machine itself over plain HTTP."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """Return what the cookie holds, whatever its age: the row of the sign-in says how long that lasts.

        A clock that was set back would make a cookie of the future of each, and sign everybody out.
        """
        kept = request.cookies.get(self.get_cookie_name(app), "")
        serializer = self.get_signing_serializer(app)
        try:
            return self.session_class(serializer.loads(kept) if serializer and kept else None)
        except BadSignature:
            return self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send the session's cookie, but with no file that is the same for everybody: browsers keep it for a year."""
        if request.endpoint not in FILES:
            super().save_session(app, session, response)

    def get_cookie_name(self, app: Flask) -> str:
        """Return the name of the session's cookie."""
        return cookie_name(super().get_cookie_name(app))

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the session's cookie is reserved to HTTPS."""
        return cookies_are_secure()


def cookie_name(name: str) -> str:
    """Return the name under which a cookie is sent: over HTTPS, browsers let no other host of the domain set it."""
    return f"__Host-{name}" if cookies_are_secure() else name


def cookies_are_secure() -> bool:
    """Return whether cookies must be reserved to HTTPS: everywhere but on the machine itself."""
    try:
        host = request.host
    except SecurityError:  # the refusal of an unknown host sets no cookie, but Flask asks all the same
        return True
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return request.is_secure or name not in _LOOPBACK
