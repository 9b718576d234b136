"""What was typed in a form that was refused: shown again when its page is, by « Précédent », reload or a link.

A refused post answers with its form, which the browser keeps no copy of. What was typed is kept here, for this sign-in
and this page, so that the page asked anew shows it; until it is saved, given up, or two hours old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Response, g, request, session
from sqlalchemy.exc import SQLAlchemyError

from cpro.core import clock, tenancy
from cpro.core.locks import is_busy, wait_at_most
from cpro.core.permissions import Principal
from cpro.core.transactions import platform_unit_of_work
from cpro.core.web.current_user import current_principal
from cpro.core.web.drafts import FIELD_NAMES
from cpro.core.web.error_pages import SECRET_FIELDS
from cpro.core.web.forms import BaseForm
from cpro.users.operations import parked_forms

#: The cookie's entry that says that a form of this sign-in may be kept: most pages then need not look for one.
_SOME = "refused"
_NEVER_KEPT = SECRET_FIELDS | {"csrf_token"}
#: What a page posts beside what is typed in it.
_NOT_TYPED = _NEVER_KEPT | FIELD_NAMES | {"geste", "then"}
#: Begins the name under which the sentences beside a field are kept; no field of a page begins so.
_SENTENCE = "#"
#: Seconds that a page waits to keep its form: it is shown anyway.
_WAIT = 0.5


def watch(principal: Principal, page: str) -> None:
    """Have the form just posted kept if its page is shown again; `page` is its address."""
    g.keep_typed = lambda: _keep(principal, page)
    g.typed_on = page


def restore(principal: Principal, page: str) -> None:
    """Hand a refused form to its page; forget it when its owner gives it up."""
    if not session.get(_SOME) or request.method != "GET":
        return
    owner = _owner(principal)
    if "abandonner" in request.args:
        with platform_unit_of_work("a refused form is given up") as work:
            parked_forms.forget_refused(work.session, owner=owner, path=page)
        return
    with tenancy.platform_session("a form refused on this page") as lookup:
        kept = parked_forms.read_refused(lookup, owner=owner, path=page, now=clock.utcnow())
    if kept is None:
        return
    g.typed_form = [(name, value) for name, value in kept if not name.startswith(_SENTENCE)]
    g.typed_errors = {}
    for name, sentence in kept:
        if name.startswith(_SENTENCE):
            g.typed_errors.setdefault(name.removeprefix(_SENTENCE), []).append(sentence)


def forget_saved(response: Response) -> Response:
    """Forget the form of a page that was just saved, or of which a later draft was kept."""
    page = g.get("typed_on")
    if not page or not session.get(_SOME):
        return response  # before asking who is there: that is not asked for a style sheet
    principal = current_principal()
    if principal is None:
        return response
    if 300 <= response.status_code < 400 or (response.is_json and _is_another(principal, page)):
        with platform_unit_of_work("a refused form is saved") as work:
            parked_forms.forget_refused(work.session, owner=_owner(principal), path=page)
    return response


def _is_another(principal: Principal, page: str) -> bool:
    """Return whether the draft just posted says something else than the refused form of its page."""
    with tenancy.platform_session("a form refused on this page") as lookup:
        kept = parked_forms.read_refused(lookup, owner=_owner(principal), path=page, now=clock.utcnow())
    return kept is not None and _said(kept) != _said(request.form.items(multi=True))


def _said(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what was typed, without what says which button was pressed and what draft it belongs to."""
    return sorted(
        (name, value)
        for name, value in fields
        if name not in _NOT_TYPED and not name.startswith((_SENTENCE, "choix-")) and value
    )


def _keep(principal: Principal, page: str) -> str | None:
    """Keep the form just posted, and what is said beside its fields; return its address, or None if it is not kept."""
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
