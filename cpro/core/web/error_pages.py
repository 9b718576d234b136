"""Error pages in French: what happened, what to do, and the typed form to send again."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from werkzeug.exceptions import HTTPException, SecurityError

from cpro.core import clock
from cpro.core.database_errors import Failure, find_failure
from cpro.core.errors import DomainError
from cpro.core.formatting import mask_ines
from cpro.core.locks import wait_at_most
from cpro.core.shown_errors.operations import keep_error
from cpro.core.storage import FULL_DISK
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.csrf import sent_from_our_page
from cpro.core.web.current_user import current_principal
from cpro.core.web.headers import note_wait
from cpro.core.web.pages import page_of_refusal
from cpro.core.web.request_log import request_number

logger = logging.getLogger(__name__)

#: « Nothing was saved », and the first letter of the advice that follows it in its sentence.
_NOTHING_SAVED = re.compile(r" ?Rien n’a été enregistré(?:\s*:\s*(\w)|\.)")

#: Fields that are never shown again, in any form.
SECRET_FIELDS = frozenset({"password", "password_confirm", "current_password", "code", "passkey"})
#: Names of URL values that grant access to anyone who knows them.
_SECRET_VALUES = frozenset({"token", "code"})
_KEEPING_WAITS = 0.5  # seconds
#: Largest form, in characters, that an error page offers to send again.
_MAX_TYPED = 300_000
_PAGES: dict[int, tuple[str, str]] = {
    400: ("Demande incompréhensible", "L’adresse ou le formulaire envoyé n’est pas de ceux que CPro attend."),
    403: ("Accès refusé", "Votre compte n’a pas ce droit."),
    404: ("Page introuvable", "Cette adresse ne correspond à rien, ou à rien qui vous concerne."),
    405: ("Action impossible ici", "Cette adresse ne s’utilise pas de cette façon."),
    409: ("Demande refusée", "Ce que vous demandez n’est plus possible. Rien n’a été enregistré."),
    413: (
        "Envoi trop volumineux",
        "Cet envoi dépasse ce que CPro accepte. Une image pèse au plus 5 Mo ; de milliers de lignes, prenez plutôt "
        "toute la liste, ou faites-le en plusieurs fois.",
    ),
    422: ("Demande refusée", "Ce qui a été envoyé ne convient pas. Rien n’a été enregistré."),
    429: ("Trop d’essais", "Réessayez dans un moment."),
    503: (
        "Service momentanément indisponible",
        "La base de données est occupée par un autre traitement. Rien n’a été enregistré : réessayez dans un instant.",
    ),
    507: (
        "Plus de place sur le serveur",
        "Le disque du serveur est plein. Rien n’a été enregistré : prévenez la personne qui s’occupe du serveur, "
        "puis recommencez.",
    ),
}
#: What failed in the database's server: the status, the sentence (that of the status if empty), and the seconds after
#: which an automatic client retries: the longest transaction of a page, a restart, the time that an operator needs, for
#: a damaged database that of restoring a backup.
_FAILURES: dict[Failure, tuple[int, str, int]] = {
    Failure.BUSY: (503, "", 5),
    Failure.TOO_LONG: (
        503,
        "Cette page demandait trop de temps à la base de données, et a été arrêtée. Rien n’a été enregistré\u202f: "
        "demandez moins à la fois (une division, un filtre), ou réessayez à une heure plus calme.",
        600,
    ),
    Failure.AWAY: (
        503,
        "La base de données ne répond pas. Rien n’a été enregistré\u202f: réessayez dans quelques minutes. "
        "L’équipe qui administre CPro en est avertie.",
        60,
    ),
    Failure.FULL: (507, "", 600),
    Failure.READ_ONLY: (
        503,
        "La base de données ne peut qu’être lue pour l’instant. Rien n’a été enregistré\u202f: prévenez la personne "
        "qui s’occupe du serveur, puis recommencez.",
        600,
    ),
    Failure.DAMAGED: (
        503,
        "La base de données est endommagée. Rien n’a été enregistré\u202f: prévenez la personne qui s’occupe du "
        "serveur, qui la rétablira depuis une sauvegarde.",
        3600,
    ),
}
_AGAIN = "Ce que vous aviez saisi n’est pas perdu : « Réessayer » l’envoie de nouveau."
_UNEXPECTED = (
    "Une erreur est survenue",
    "Rien n’a été enregistré. L’équipe qui administre CPro en est avertie.",
)


def register_handlers(app: Flask) -> None:
    """Render every error of an application as a page in French."""
    app.register_error_handler(HTTPException, _show_http_error)
    app.register_error_handler(DomainError, _show_refusal)
    for kind in (OperationalError, NoConnectionLeft):
        app.register_error_handler(kind, show_database_failure)
    app.register_error_handler(OSError, _show_full_disk)


def show_error(
    code: int, message: str = "", *, cause: BaseException, typed: Sequence[tuple[str, str]] = ()
) -> ResponseReturnValue:
    """Render the error page of a status, with its usual message unless one is given.

    `cause` is the exception: its class is stored under the number shown on the page. `typed` is the form that may be
    sent again from the page, so that no input is lost.
    """
    _keep(code, cause)
    title, usual = _PAGES.get(code, _UNEXPECTED)
    message = _fit_request(message or usual)
    try:
        page = render_template(
            "errors/error.html",
            code=code,
            is_refusal=True,
            reference=request_number(),
            title=title,
            message=message,
            hint=_AGAIN if typed else "",
            typed=typed,
            retry_url=_here(),
            page_at=page_of_refusal(code),
            back_url="/",
            back_label="Revenir à l’accueil",
        )
    except SQLAlchemyError:  # the layout names the school, which needs the database; the failure was already logged
        page = _bare_page(title, message, typed)
    except Exception:  # whatever broke the page may break the layout too
        logger.exception("the error page itself could not be drawn")
        page = _bare_page(title, message)
    return page, code


def _fit_request(message: str) -> str:
    """Return a message without « nothing was saved » where only a page was asked for.

    The page may be the one that follows a saved form, and confirms it above the message.
    """
    if request.method != "GET":
        return message
    return _NOTHING_SAVED.sub(lambda found: f" {found[1].upper()}" if found[1] else "", message).strip()


def _keep(code: int, cause: BaseException) -> None:
    """Store this error under its number if a person is signed in or it is a 5xx; the log has it anyway."""
    try:
        principal = current_principal()
        if not request_number() or (principal is None and code < 500):
            return
        with wait_at_most(_KEEPING_WAITS), platform_unit_of_work("an error page was shown") as work:
            keep_error(
                work.session,
                request_number(),
                status=code,
                cause=type(cause).__name__,
                route=f"{request.method} {_asked(code)}",
                account=f"{principal.kind}:{principal.id}" if principal else "",
                school_id=principal.establishment_id if principal else None,
                now=clock.utcnow(),
            )
    except SQLAlchemyError:
        logger.warning("an error page could not be kept under its number")


def _asked(code: int) -> str:
    """Return the route of a request, without the values in its URL; its path if no page exists there.

    The path is cleaned for reading in the log: no query, INE, token or unprintable character.
    """
    if request.url_rule and (code != 404 or _SECRET_VALUES & (request.view_args or {}).keys()):
        return str(request.url_rule)
    return mask_ines("".join(sign for sign in request.path if sign.isprintable()))


def _bare_page(title: str, message: str, typed: Sequence[tuple[str, str]] = ()) -> str:
    fields = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in typed)
    again = f'<form method="post" action="{escape(_here())}">{fields}<p>{_AGAIN}</p><button>Réessayer</button></form>'
    return (
        f'<!doctype html><html lang="fr"><title>Erreur – {escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(message)}</p>"
        f"{again if typed else ''}"
        f"<p>Référence à citer si vous demandez de l’aide : {request_number()}</p></html>"
    )


def _here() -> str:
    return request.full_path.rstrip("?")


def show_database_failure(error: SQLAlchemyError) -> Response:
    """Answer a request that the database could not serve; re-raise an error that is a defect.

    A posted form is offered again, to be sent with one button.
    """
    failure = find_failure(error)
    if failure is None:
        raise error
    if failure is Failure.BUSY:
        logger.warning("%s %s waited in vain: %s", request.method, request.path, error)
    elif failure is Failure.TOO_LONG:
        logger.error("%s %s took too long: %s", request.method, request.path, error)
    else:
        logger.error("the database did not answer: %s", getattr(error, "orig", None) or error)
    return _answer_failure(failure, error)


def _answer_failure(failure: Failure, cause: BaseException) -> Response:
    code, message, seconds = _FAILURES[failure]
    answer = make_response(show_error(code, message, cause=cause, typed=_typed_form()))
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _show_full_disk(error: OSError) -> ResponseReturnValue:
    """Answer that the disk is full, for any file that could not be written; re-raise any other OSError as a defect."""
    if error.errno not in FULL_DISK:
        raise error
    logger.error("%s %s found no room: %s", request.method, request.path, error)
    return _answer_failure(Failure.FULL, error)


def _show_http_error(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):  # an unknown host: neither URL nor layout can be built
        title = "Adresse inconnue"
        return f'<!doctype html><html lang="fr"><title>Erreur – {title}</title><h1>{title}</h1></html>', 400
    if error.response is not None or error.code is None or error.code < 400:
        return error  # a redirect of the router
    if isinstance(error, CSRFError):
        message = (
            "La page d’où vient ce formulaire n’est plus valable (connexion terminée ou autre fenêtre). "
            "Rien n’a été enregistré : revenez à la page et validez à nouveau."
        )
        return show_error(400, message, cause=error)
    if error.code == 403:
        _log_refusal()
    cause = getattr(error, "original_exception", None) or error
    if error.code == 500:
        if isinstance(cause, SQLAlchemyError) and find_failure(cause):
            return show_database_failure(cause)
        logger.error("unexpected error", exc_info=cause)
    answer = make_response(show_error(error.code, cause=cause))
    answer.headers.update((name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After"))
    return answer


def _show_refusal(refusal: DomainError) -> ResponseReturnValue:
    """Show a refusal that no form caught."""
    note_wait(refusal)
    if refusal.status == 403:
        _log_refusal()
    return show_error(refusal.status, refusal.message, cause=refusal)


def _log_refusal() -> None:
    """Log which account was refused which route: the account's id and the route, nothing that was typed."""
    principal = current_principal()
    who = f"{principal.kind}:{principal.id}" if principal else "nobody signed in"
    logger.warning("403 to %s: %s %s", who, request.method, request.url_rule)


def _typed_form() -> list[tuple[str, str]]:
    """Return the fields of a form that can be sent again as is: no file, no secret, and a signed-in person.

    Without the database, nobody knows who is signed in: what a page of ours sent is shown to whoever sent it.
    """
    if request.method != "POST" or any(file.filename for file in request.files.values()):
        return []
    fields = list(request.form.items(multi=True))
    if SECRET_FIELDS & {name for name, _value in fields} or sum(len(n) + len(v) for n, v in fields) > _MAX_TYPED:
        return []
    try:
        return fields if current_principal() else []
    except SQLAlchemyError:
        return fields if sent_from_our_page() else []
