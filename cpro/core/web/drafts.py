"""The web side of drafts: show one when a form is opened, keep it while the user types, delete it once it is saved.

The form of an `EditPage` names its `draft`; another opts in with four calls: `typed` when it is opened, `is_asked` and
`answer` before it is validated, `saved` in the unit of work that saves it. Its template includes what
`macros/drafts.html` offers. The URL and the permission are the form's own: a person who may not post it keeps no draft
of it. Drafts are written in the school's session, as `saved` does. The list of forms that keep drafts is in the help
and the privacy notice.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, g, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from werkzeug.datastructures import ImmutableMultiDict

from cpro.core import clock
from cpro.core.database_errors import is_busy
from cpro.core.drafts import operations, queries
from cpro.core.drafts.models import Draft
from cpro.core.drafts.operations import DraftKey, PageMark
from cpro.core.errors import DomainError
from cpro.core.formatting import DEFAULT_TIMEZONE, format_hour, format_instant
from cpro.core.parsing import read_integer
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_account_id
from cpro.core.web.error_pages import SECRET_FIELDS
from cpro.core.web.forms import VersionedForm, choice_name, typed_before_sign_in
from cpro.core.web.pages import OWN, asks_for_json, back_to, page_address
from cpro.core.web.registry import registry

#: Values that the buttons post under the name `brouillon`.
ASKED, KEEP, GIVE_UP = "brouillon", "enregistrer", "abandonner"
#: In a URL, under the same name: open the form with its saved values and leave the draft alone.
WITHOUT = "aucun"
#: Fields that identify a page (see `PageMark`).
TOKEN, TURN, ORIGIN = "draft", "draft_turn", "draft_of"
#: The version that a page showing a conflict was opened on: its draft keeps it, so that the conflict is shown again.
BASE = "draft_base"
FIELD_NAMES = frozenset({ASKED, TOKEN, TURN, ORIGIN, BASE})
#: Fields never kept: the pressed button, the CSRF token, passwords and codes.
_NOT_KEPT = FIELD_NAMES | SECRET_FIELDS | {"csrf_token", "geste", "then"}
_CHOICES = choice_name("")
_BUSY = "Le brouillon n’est pas encore enregistré\u202f: la base de données est occupée. Réessayez dans un instant."


@dataclass(frozen=True)
class DraftPage:
    """What a template shows of drafts: the mark of its page, the draft that fills the form, the other drafts."""

    mark: PageMark
    shown: Draft | None = None
    others: Sequence[Draft] = ()

    @property
    def is_unsaved(self) -> bool:
        """Return whether the form contains more than the kept draft: it was just posted and is shown again."""
        return request.method == "POST"

    @property
    def base(self) -> str:
        """Return the version that the form was opened on, while it shows an unresolved conflict."""
        form = g.get("merged_form")
        return form.opened_on if isinstance(form, VersionedForm) and form.clashes else ""

    @property
    def began(self) -> str:
        """Return when the displayed draft was begun."""
        return _when(self.shown.began_at) if self.shown else ""

    @property
    def kept(self) -> str:
        """Return when the displayed draft was last kept."""
        return _when(self.shown.saved_at) if self.shown else ""

    @property
    def address(self) -> str:
        """Return the URL of the page, which is also where its buttons post."""
        return page_address()

    @property
    def address_without(self) -> str:
        """Return the URL that opens the form with its saved values, leaving its drafts alone."""
        return page_address(**{ASKED: WITHOUT})

    @property
    def links(self) -> list[tuple[str, str]]:
        """Return the URL of each other draft and when it was last kept."""
        return [(page_address(**{ASKED: each.token}), _when(each.saved_at)) for each in self.others]


def typed(key: DraftKey) -> ImmutableMultiDict[str, str] | None:
    """Return what a form shows instead of its saved values: the input from before the sign-in ended, else the draft."""
    before = typed_before_sign_in()
    account_id, wanted = current_account_id(), request.args.get(ASKED, "")
    if account_id is None or before is not None or "abandonner" in request.args:
        g.draft_page = DraftPage(_mark_in(before or {}))
        return before
    drafts = queries.list_drafts(key, account_id=account_id, now=clock.utcnow())
    shown = (
        None
        if wanted == WITHOUT
        else next((each for each in drafts if each.token == wanted), None) or next(iter(drafts), None)
    )
    origin = f"{shown.token}@{shown.turn}" if shown else ""
    g.draft_page = DraftPage(
        PageMark(_new_token(), origin=origin), shown, [each for each in drafts if each is not shown]
    )
    return ImmutableMultiDict(tuple(each) for each in shown.fields) if shown else None


def current_page() -> DraftPage:
    """Return the drafts of the page being rendered; a form shown again after a post keeps its mark."""
    if "draft_page" not in g:
        g.draft_page = DraftPage(_mark_in(request.form))
    page = g.draft_page
    assert isinstance(page, DraftPage)
    return page


def is_asked() -> bool:
    """Return whether the request keeps or discards a draft, rather than saving the form."""
    return request.form.get(ASKED) in (KEEP, GIVE_UP)


def answer(key: DraftKey, again: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """Keep or discard the posted draft, then redirect to the page, or answer the script in JSON.

    `again` renders the form as it was posted, so that input that could not be kept stays on the page.
    """
    if request.form.get(ASKED) == GIVE_UP:
        with unit_of_work():
            saved(key)
        return back_to(page_address(), "Brouillon abandonné.", OWN)
    message, status = _keep(key)
    if asks_for_json():
        return {"message": message}, status
    if status == 200:
        return back_to(page_address(), f"{message}. Vous seul pouvez le voir.", OWN)
    flash(message, "error")
    page = make_response(again())
    page.status_code = status
    return page


def keep_posted(key: DraftKey) -> None:
    """Keep the posted form as a draft, in the caller's unit of work. Raises `DraftTooLarge`, `DraftOver`."""
    account_id = current_account_id()
    assert account_id is not None, "forms that keep drafts are written by accounts of a school"
    base = request.form.get(BASE)
    fields = [
        (name, base if base and name == "version" else text)
        for name, text in request.form.items(multi=True)
        if name not in _NOT_KEPT and not name.startswith(_CHOICES)
    ]
    operations.keep(key, _mark_in(request.form), fields, account_id=account_id, now=clock.utcnow())


def saved(key: DraftKey, *, creates: bool = False) -> None:
    """Delete the draft of the posted page, in the unit of work that saves the form or discards the draft.

    Raises `PageSent` if the page `creates` something and was saved before; the page shown again may be saved.
    """
    account_id = current_account_id()
    if account_id is None:
        return
    try:
        operations.close(key, _mark_in(request.form), account_id=account_id, now=clock.utcnow(), creates=creates)
    except operations.PageSent:
        g.draft_page = DraftPage(PageMark(_new_token()))
        raise


def forget(key: DraftKey) -> None:
    """Delete the current account's drafts of an object, in the unit of work that deletes the object."""
    account_id = current_account_id()
    if account_id is not None:
        operations.forget_object(key, account_id=account_id)


def describe_loss(key: DraftKey) -> list[str]:
    """Return a sentence about the draft lost to an action that replaces what the form edits, or an empty list.

    The action itself calls `forget`.
    """
    account_id = current_account_id()
    if account_id is None or not queries.list_drafts(key, account_id=account_id, now=clock.utcnow()):
        return []
    return ["Ce que vous y aviez saisi sans le valider, gardé comme brouillon, sera effacé."]


def _keep(key: DraftKey) -> tuple[str, int]:
    """Keep the posted draft; return the confirmation, or why it could not be kept, and the status."""
    try:
        with unit_of_work():
            keep_posted(key)
    except DomainError as refusal:
        return refusal.message, refusal.status
    except SQLAlchemyError as error:
        # Another transaction is writing, or a second request of the same page at the same instant.
        if not is_busy(error) and not isinstance(error, IntegrityError):
            raise
        return _BUSY, 503
    hour = format_hour(clock.utcnow(), registry().timezone())
    return f"Brouillon enregistré à {hour}", 200


def _mark_in(fields: Mapping[str, Any]) -> PageMark:
    """Return the page mark in the posted fields, a new one if they have no valid mark."""
    token, turn, origin = (str(fields.get(name) or "") for name in (TOKEN, TURN, ORIGIN))
    if not re.fullmatch(r"[0-9a-f]{32}", token):
        return PageMark(_new_token())
    return PageMark(
        token,
        read_integer(turn, largest=10**9) or 0,
        origin if re.fullmatch(r"[0-9a-f]{32}@[0-9]{1,10}", origin) else "",
    )


def _new_token() -> str:
    return secrets.token_hex(16)


def _when(instant: Any) -> str:
    return format_instant(instant, registry().timezone() or DEFAULT_TIMEZONE)
