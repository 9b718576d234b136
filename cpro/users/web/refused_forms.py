"""Restore the input of a refused form when its page is shown again, by « Précédent », reload or a link.

A refused POST answers with its form, of which the browser keeps no copy. The input is stored here, for this sign-in and
this page, so that requesting the page again shows it; until it is saved, discarded, or two hours old.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from flask import Response, g, request, session
from sqlalchemy.exc import SQLAlchemyError

from cpro.core import clock, tenancy
from cpro.core.database_errors import is_busy
from cpro.core.locks import wait_at_most
from cpro.core.permissions import Principal
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_principal
from cpro.core.web.drafts import FIELD_NAMES
from cpro.core.web.error_pages import SECRET_FIELDS
from cpro.core.web.forms import BaseForm
from cpro.users.operations import parked_forms

logger = logging.getLogger(__name__)

#: The cookie's entry set if this sign-in may have a stored form, so that most pages need no lookup.
_SOME = "refused"
_NEVER_KEPT = SECRET_FIELDS | {"csrf_token"}
#: Posted fields that are not typed by the user.
_NOT_TYPED = _NEVER_KEPT | FIELD_NAMES | {"geste", "then"}
#: Prefix of the stored error messages of a field; no field's name begins with it.
_SENTENCE = "#"
#: Maximum seconds that a page waits to store its form: it is shown in any case.
_WAIT = 0.5


def watch(principal: Principal, page: str) -> None:
    """Store the posted form if its page is shown again; `page` is its URL."""
    g.keep_typed = lambda: _keep(principal, page)
    g.typed_on = page


def restore(principal: Principal, page: str) -> None:
    """Restore a refused form on its page; delete it if its owner discards it."""
    if not session.get(_SOME) or request.method != "GET":
        return
    if "abandonner" in request.args:
        forget(principal, page)
        return
    with tenancy.platform_session("a form refused on this page") as lookup:
        kept = parked_forms.read_refused(lookup, owner=_owner(principal), path=page, now=clock.utcnow())
    if kept is None:
        return
    g.typed_form = [(name, value) for name, value in kept if not name.startswith(_SENTENCE)]
    g.typed_errors = {}
    for name, sentence in kept:
        if name.startswith(_SENTENCE):
            g.typed_errors.setdefault(name.removeprefix(_SENTENCE), []).append(sentence)


def forget(principal: Principal, page: str) -> None:
    """Delete the stored form of a page: its owner discards it."""
    with platform_unit_of_work("a refused form is given up") as work:
        parked_forms.forget_refused(work.session, owner=_owner(principal), path=page)


def forget_saved(response: Response) -> Response:
    """Delete the stored form of a page that was just saved, or of which a later draft was kept.

    Without the database it is left, until it expires: what was saved is never answered as refused.
    """
    page = g.get("typed_on")
    if not page or not session.get(_SOME):
        return response  # before `current_principal`, which is not needed for static files
    principal = current_principal()
    if principal is None:
        return response
    try:
        if 300 <= response.status_code < 400 or (response.is_json and _is_another(principal, page)):
            with platform_unit_of_work("a refused form is saved") as work:
                parked_forms.forget_refused(work.session, owner=_owner(principal), path=page)
    except SQLAlchemyError as error:
        logger.warning("the stored form of a saved page is left: %s", error)
    return response


def _is_another(principal: Principal, page: str) -> bool:
    """Return whether the posted draft differs from the refused form of its page."""
    with tenancy.platform_session("a form refused on this page") as lookup:
        kept = parked_forms.read_refused(lookup, owner=_owner(principal), path=page, now=clock.utcnow())
    return kept is not None and _typed_fields(kept) != _typed_fields(request.form.items(multi=True))


def _typed_fields(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the typed fields, without the pressed button and the draft's mark."""
    return sorted(
        (name, value)
        for name, value in fields
        if name not in _NOT_TYPED and not name.startswith((_SENTENCE, "choix-")) and value
    )


def _keep(principal: Principal, page: str) -> str | None:
    """Store the posted form with its error messages; return its URL, or None if it is not stored."""
    fields = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _NEVER_KEPT and not name.startswith(_SENTENCE)
    ]
    try:
        with wait_at_most(_WAIT), platform_unit_of_work("keeping a refused form") as work:
            kept = parked_forms.keep_refused(
                work.session, owner=_owner(principal), path=page, fields=[*fields, *_sentences()], now=clock.utcnow()
            )
    except SQLAlchemyError as error:
        if not is_busy(error):
            raise
        return None
    session[_SOME] = True
    return page if kept else None


def _sentences() -> Iterator[tuple[str, str]]:
    form = g.get("posted_form")
    if not isinstance(form, BaseForm):
        return
    for field in form:
        yield from ((f"{_SENTENCE}{field.name}", str(each)) for each in field.errors if isinstance(each, str))
    yield from ((_SENTENCE, str(each)) for each in form.form_errors)


def _owner(principal: Principal) -> str:
    return parked_forms.refused_owner(principal.kind, principal.id, principal.sign_in_id)
