"""What every answer shares: security headers, cookies, errors in French, odd input refused early."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, current_app, flash, g, make_response, redirect, render_template, request
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from werkzeug.exceptions import BadRequest, HTTPException, SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map, RequestRedirect

from cpro.core.errors import DomainError
from cpro.core.formatting import format_count, format_date, of_name, unfilled
from cpro.core.locks import is_busy
from cpro.core.parsing import LARGEST_ID
from cpro.core.permissions import Actor, Principal, Role
from cpro.core.rights import describe_closed_to, describe_read_by
from cpro.core.web.conflicts import describe_kept
from cpro.core.web.richtext import show

logger = logging.getLogger(__name__)

#: Fields that no page shows again, whatever the form.
SECRET_FIELDS = frozenset({"password", "password_confirm", "current_password", "code"})

#: Statuses of the pages that show a posted form again.
_SHOWN_AGAIN = frozenset({200, 409, 422})
_RETRY_AFTER = 5  # seconds: a machine that asks again comes back after the longest transaction of a page
#: Characters of a form that a refused page offers to send again.
_MAX_TYPED = 300_000
#: Asked of a page once, no part of its address: to give up what was typed, to choose a draft.
_PASSING = frozenset({"abandonner", "brouillon"})
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def install(app: Flask) -> None:
    """Give an application its headers, cookies and error pages."""
    proxies = app.config["CPRO_PROXIES"]
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=proxies
        )
    app.url_map.converters["int"] = _RowNumber
    app.session_interface = _SessionInterface()
    app.jinja_env.filters.update(date=format_date, count=format_count, richtext=show, describe_kept=describe_kept)
    app.jinja_env.filters.update(of_name=of_name, unfilled=unfilled)
    app.jinja_env.globals.update(Role=Role, describe_read_by=describe_read_by, describe_closed_to=describe_closed_to)
    app.before_request(_refuse_odd_addresses)
    app.after_request(_add_headers)
    app.register_error_handler(HTTPException, _show_http_error)
    app.register_error_handler(DomainError, _show_refusal)
    app.register_error_handler(OperationalError, show_busy_database)
    app.register_error_handler(NoConnectionLeft, show_busy_database)


def csp_nonce() -> str:
    """Return the nonce of this answer's scripts, generated once per request."""
    if "csp_nonce" not in g:
        g.csp_nonce = base64.b64encode(secrets.token_bytes(16)).decode()
    return str(g.csp_nonce)


def current_principal() -> Principal | None:
    """Return who is signed in, or None."""
    principal = current_user._get_current_object() if current_user else None
    return principal if isinstance(principal, Principal) else None


def current_actor() -> Actor:
    """Return who is signed in, as the journal names them. Reserved to views behind `@requires`."""
    principal = current_principal()
    if principal is None:
        raise RuntimeError("nobody is signed in: the view must be marked @requires")
    return Actor(principal.kind, principal.id, principal.label, principal.role.value, remote_address())


def remote_address() -> str:
    """Return the visitor's network address, as the trusted proxies give it."""
    return request.remote_addr or "?"


def asks_for_json() -> bool:
    """Return whether a script of ours asks, which reads JSON and shows no page."""
    accepted = request.accept_mimetypes
    return bool(accepted["application/json"] > accepted["text/html"])


def page_address(**asked: str) -> str:
    """Return the address of the page of this request, with what is asked of it, without what was asked of drafts."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _PASSING]
    query = urlencode([*kept, *asked.items()])
    return f"{request.path}?{query}" if query else request.path


def is_local_path(target: str | None) -> bool:
    """Return whether an address stays on this site: the only kind one may be sent to after signing in."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return False
    return "\\" not in target and all(" " <= character != "\x7f" for character in target)


class _RowNumber(IntegerConverter):
    """A row's number in an address: none is larger than the databases' integer, which would refuse it with a crash."""

    regex = "[0-9]{1,10}"

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(map, *args, **{"max": LARGEST_ID, **kwargs})


class _SessionInterface(SecureCookieSessionInterface):
    """Ask for HTTPS, except on the machine itself over plain HTTP."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the session's cookie is reserved to HTTPS."""
        return cookies_are_secure()


def cookies_are_secure() -> bool:
    """Return whether cookies must be reserved to HTTPS: everywhere but on the machine itself."""
    try:
        host = request.host
    except SecurityError:  # the refusal of an unknown host sets no cookie, but Flask asks all the same
        return True
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return request.is_secure or name not in _LOOPBACK


def _refuse_odd_addresses() -> None:
    """Refuse a NUL in an address: no database takes it, nobody types it."""
    if "\x00" in request.path or any("\x00" in part for pair in request.args.items(multi=True) for part in pair):
        raise BadRequest("NUL character in the address")


def _add_headers(response: Response) -> Response:
    nonce = csp_nonce()
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; "  # data: is what Bootstrap draws its marks with
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")  # other people's data, on shared computers
    return response


# --- Errors --------------------------------------------------------------------------------------------------------

_PAGES: dict[int, tuple[str, str]] = {
    400: ("Demande incompréhensible", "L’adresse ou le formulaire envoyé n’est pas de ceux que CPro attend."),
    403: ("Accès refusé", "Votre compte n’a pas ce droit."),
    404: ("Page introuvable", "Cette adresse ne correspond à rien, ou à rien qui vous concerne."),
    405: ("Action impossible ici", "Cette adresse ne s’utilise pas de cette façon."),
    413: ("Envoi trop volumineux", "Le fichier dépasse ce que CPro accepte. Une image pèse au plus 5 Mo."),
    429: ("Trop d’essais", "Réessayez dans un moment."),
    503: (
        "Service momentanément indisponible",
        "La base de données est occupée par un autre traitement. Rien n’a été enregistré : réessayez dans un instant.",
    ),
}
_UNEXPECTED = (
    "Une erreur est survenue",
    "Rien n’a été enregistré. L’équipe qui administre la plateforme en est avertie.",
)


def show_error(code: int, message: str = "", *, typed: Sequence[tuple[str, str]] = ()) -> ResponseReturnValue:
    """Render the error page of a status, with its usual sentence unless one is given.

    `typed` is the form that may be sent again from there: nothing of it is lost.
    """
    title, usual = _PAGES.get(code, _UNEXPECTED)
    try:
        page = render_template(
            "errors/error.html",
            code=code,
            title=title,
            message=message or usual,
            hint="Ce que vous aviez saisi n’est pas perdu : « Réessayer » l’envoie de nouveau." if typed else "",
            typed=typed,
            retry_url=request.full_path.rstrip("?"),
            page_at=_page_of_refusal(code),
            back_url="/",
            back_label="Revenir à l’accueil",
        )
    except Exception:  # whatever broke the page may break the frame too
        logger.exception("the error page itself could not be drawn")
        page = f'<!doctype html><html lang="fr"><title>{title}</title><h1>{title}</h1><p>{usual}</p></html>'
    return page, code


def _show_http_error(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):  # an unknown host: no address can be built, no frame drawn
        return '<!doctype html><html lang="fr"><title>Adresse inconnue</title><h1>Adresse inconnue</h1></html>', 400
    if error.response is not None or error.code is None or error.code < 400:
        return error  # a redirect of the router
    if isinstance(error, CSRFError):
        message = (
            "La page d’où vient ce formulaire n’est plus valable (connexion terminée ou autre fenêtre). "
            "Rien n’a été enregistré : revenez à la page et validez à nouveau."
        )
        return show_error(400, message)
    if error.code == 500:
        logger.error("unexpected error", exc_info=getattr(error, "original_exception", None) or error)
    answer = make_response(show_error(error.code))
    answer.headers.update((name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After"))
    return answer


def _show_refusal(refusal: DomainError) -> ResponseReturnValue:
    """Show a refusal that no form caught."""
    return show_error(refusal.status, refusal.message)


def show_busy_database(error: SQLAlchemyError) -> Response:
    """Answer a request that a lock kept waiting for too long, or that the database did not answer: a plain 503.

    A form is offered again as it was typed, for one press of a button.
    """
    if is_busy(error):
        logger.warning("%s %s waited in vain: %s", request.method, request.path, error)
    else:
        logger.error("the database did not answer", exc_info=error)
    answer = make_response(show_error(503, typed=_typed_form()))
    answer.headers["Retry-After"] = str(_RETRY_AFTER)
    return answer


def _typed_form() -> list[tuple[str, str]]:
    """Return the fields of a form that can be sent again as it stands: no file, no secret, somebody signed in."""
    if request.method != "POST" or any(file.filename for file in request.files.values()):
        return []
    fields = list(request.form.items(multi=True))
    if SECRET_FIELDS & {name for name, _value in fields} or sum(len(n) + len(v) for n, v in fields) > _MAX_TYPED:
        return []
    try:
        return fields if current_principal() else []
    except SQLAlchemyError:
        return []


def back_to(endpoint_url: str, message: str = "", category: str = "success") -> ResponseReturnValue:
    """Redirect after a POST (303), with a message naming what changed, and what somebody else had changed."""
    if message:
        flash(message, category)
    for sentence in describe_kept(g.merged_form) if g.get("merged_form") else ():
        flash(sentence, "info")
    return redirect(endpoint_url, 303)


def render_page(template: str, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    """Render a page with its status.

    One that answers a post gives the browser the address of the page it stands for (`page_at`): « Précédent » and
    reload then ask for that page, and send nothing again.
    """
    if request.method == "POST":
        context["page_at"] = _page_of_post(status)
    return render_template(template, **context), status


@dataclass(frozen=True)
class PageAt:
    """The page that the answer to a post stands for; `is_same` when, asked for, it shows the same."""

    address: str
    is_same: bool


def _page_of_post(status: int) -> PageAt | None:
    """Return the page that the answer to this post stands for; keep for it what was typed (`users.refused_forms`)."""
    kept: str | None = g.keep_typed() if "keep_typed" in g and status in _SHOWN_AGAIN else None
    if kept:
        return PageAt(kept, is_same=status >= 400)
    origin = urlsplit(request.referrer or "")
    came_from = f"{origin.path}?{origin.query}" if origin.query else origin.path
    for address in (came_from if origin.netloc == request.host else "", request.full_path.rstrip("?")):
        if is_local_path(address) and _can_be_opened(address.partition("?")[0]):
            return PageAt(address, is_same=False)
    return None


def _page_of_refusal(code: int) -> PageAt | None:
    """Return the page from which a refused post came; none where the form waits in the error page itself."""
    if request.method != "POST" or code in (400, 503):
        return None
    page = _page_of_post(code)
    if code != 413 or page is None:
        return page and PageAt(page.address, is_same=False)
    # Nothing of a post that weighs too much can be read: the page says so where there is no script to come back to it.
    return PageAt(f"{page.address}{'&' if '?' in page.address else '?'}refus=413", is_same=True)


def _can_be_opened(path: str) -> bool:
    try:
        current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    except (HTTPException, RequestRedirect):
        return False
    return True
