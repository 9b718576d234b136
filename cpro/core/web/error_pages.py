"""Errors as pages, in French: what happened, what to do, what was typed offered again."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from werkzeug.exceptions import HTTPException, SecurityError

from cpro.core.errors import DomainError
from cpro.core.locks import is_busy, is_damaged
from cpro.core.web.current_user import current_principal
from cpro.core.web.headers import note_wait
from cpro.core.web.pages import page_of_refusal
from cpro.core.web.request_log import request_number

logger = logging.getLogger(__name__)

#: Fields that no page shows again, whatever the form.
SECRET_FIELDS = frozenset({"password", "password_confirm", "current_password", "code"})
_RETRY_AFTER = 5  # seconds: a machine that asks again comes back after the longest transaction of a page
#: Characters of a form that a refused page offers to send again.
_MAX_TYPED = 300_000
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
_NO_DATABASE = (
    "La base de données ne répond pas. Rien n’a été enregistré : réessayez dans quelques minutes. "
    "L’équipe qui administre la plateforme en est avertie."
)
_UNEXPECTED = (
    "Une erreur est survenue",
    "Rien n’a été enregistré. L’équipe qui administre la plateforme en est avertie.",
)


def register_handlers(app: Flask) -> None:
    """Show every error of an application as a page in French."""
    app.register_error_handler(HTTPException, _show_http_error)
    app.register_error_handler(DomainError, _show_refusal)
    app.register_error_handler(OperationalError, show_busy_database)
    app.register_error_handler(NoConnectionLeft, show_busy_database)


def show_error(code: int, message: str = "", *, typed: Sequence[tuple[str, str]] = ()) -> ResponseReturnValue:
    """Render the error page of a status, with its usual sentence unless one is given.

    `typed` is the form that may be sent again from there: nothing of it is lost.
    """
    title, usual = _PAGES.get(code, _UNEXPECTED)
    try:
        page = render_template(
            "errors/error.html",
            code=code,
            reference=request_number(),
            title=title,
            message=message or usual,
            hint="Ce que vous aviez saisi n’est pas perdu : « Réessayer » l’envoie de nouveau." if typed else "",
            typed=typed,
            retry_url=request.full_path.rstrip("?"),
            page_at=page_of_refusal(code),
            back_url="/",
            back_label="Revenir à l’accueil",
        )
    except SQLAlchemyError:  # the frame names the school: without a database it cannot, and that was said already
        page = _bare_page(title, message or usual)
    except Exception:  # whatever broke the page may break the frame too
        logger.exception("the error page itself could not be drawn")
        page = _bare_page(title, message or usual)
    return page, code


def _bare_page(title: str, message: str) -> str:
    return (
        f'<!doctype html><html lang="fr"><title>{title}</title><h1>{title}</h1><p>{message}</p>'
        f"<p>Référence à citer si vous demandez de l’aide : {request_number()}</p></html>"
    )


def show_busy_database(error: SQLAlchemyError) -> Response:
    """Answer a request that a lock kept waiting for too long, or that the database did not answer: a plain 503.

    A form is offered again as it was typed, for one press of a button.
    """
    message = ""
    if is_busy(error):
        logger.warning("%s %s waited in vain: %s", request.method, request.path, error)
    else:
        logger.error("the database did not answer: %s", getattr(error, "orig", None) or error)
        message = _NO_DATABASE
    answer = make_response(show_error(503, message, typed=_typed_form()))
    answer.headers["Retry-After"] = str(_RETRY_AFTER)
    return answer


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
    if error.code == 403:
        _log_refusal()
    if error.code == 500:
        cause = getattr(error, "original_exception", None) or error
        if isinstance(cause, SQLAlchemyError) and is_damaged(cause):
            return show_busy_database(cause)
        logger.error("unexpected error", exc_info=cause)
    answer = make_response(show_error(error.code))
    answer.headers.update((name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After"))
    return answer


def _show_refusal(refusal: DomainError) -> ResponseReturnValue:
    """Show a refusal that no form caught."""
    note_wait(refusal)
    if refusal.status == 403:
        _log_refusal()
    return show_error(refusal.status, refusal.message)


def _log_refusal() -> None:
    """Say in the server's log who was refused what: the number of an account and a route, nothing typed."""
    principal = current_principal()
    who = f"{principal.kind}:{principal.id}" if principal else "nobody signed in"
    logger.warning("403 to %s: %s %s", who, request.method, request.url_rule)


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
