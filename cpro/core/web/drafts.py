"""Drafts as pages meet them: shown when a form is opened, kept as it is typed, forgotten once it is saved.

A form opts in by four calls: `typed` where it is opened, `is_asked` and `answer` before it is judged, `saved` in the
unit of work that saves it. Its template puts in what `macros/drafts.html` offers. The address and the permission are
the form's own: those who may not post it keep no draft of it. Saving happens in the school's session, as `saved` does.
The texts about which forms keep drafts stand in the help, the privacy notice and CHANGELOG (decision 0011).
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
from cpro.core.drafts import operations, queries
from cpro.core.drafts.models import Draft
from cpro.core.drafts.operations import DraftKey, PageMark
from cpro.core.errors import DomainError
from cpro.core.formatting import DEFAULT_TIMEZONE, format_hour, format_instant
from cpro.core.locks import is_busy
from cpro.core.parsing import read_integer
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_account_id
from cpro.core.web.error_pages import SECRET_FIELDS
from cpro.core.web.forms import VersionedForm, choice_name, typed_before_sign_in
from cpro.core.web.pages import OWN, asks_for_json, back_to, page_address
from cpro.core.web.registry import registry

#: What the buttons post under the name `brouillon`.
ASKED, KEEP, GIVE_UP = "brouillon", "enregistrer", "abandonner"
#: In an address, under the same name: open the form as it is saved, the draft left alone.
WITHOUT = "aucun"
#: What a page says of itself (see `PageMark`).
TOKEN, TURN, ORIGIN = "draft", "draft_turn", "draft_of"
#: The version that a page of a clash was opened on: its draft keeps it, so that the clash is seen again.
BASE = "draft_base"
FIELD_NAMES = frozenset({ASKED, TOKEN, TURN, ORIGIN, BASE})
#: Never kept: what says which button was pressed, the token of the sign-in, passwords and codes.
_NOT_KEPT = FIELD_NAMES | SECRET_FIELDS | {"csrf_token", "geste", "then"}
_CHOICES = choice_name("")
_BUSY = "Le brouillon n’est pas encore enregistré\u202f: la base de données est occupée. Réessayez dans un instant."


@dataclass(frozen=True)
class DraftPage:
    """What a template shows of drafts: the mark of its page, the draft that fills the form, the other ones."""

    mark: PageMark
    shown: Draft | None = None
    others: Sequence[Draft] = ()

    @property
    def is_unsaved(self) -> bool:
        """Return whether the form holds more than what is kept: it was just posted, and comes back."""
        return request.method == "POST"

    @property
    def base(self) -> str:
        """Return the version that the form was opened on, while it shows a clash that is not resolved."""
        form = g.get("merged_form")
        return form.opened_on if isinstance(form, VersionedForm) and form.clashes else ""

    @property
    def began(self) -> str:
        """Return when the draft that is shown was begun."""
        return _when(self.shown.began_at) if self.shown else ""

    @property
    def kept(self) -> str:
        """Return when the draft that is shown was last kept."""
        return _when(self.shown.saved_at) if self.shown else ""

    @property
    def address(self) -> str:
        """Return the address of the page, which is also where its buttons post."""
        return page_address()

    @property
    def address_without(self) -> str:
        """Return the address that opens the form as it is saved, its drafts left alone."""
        return page_address(**{ASKED: WITHOUT})

    @property
    def links(self) -> list[tuple[str, str]]:
        """Return the address of each other draft and when it was last kept."""
        return [(page_address(**{ASKED: each.token}), _when(each.saved_at)) for each in self.others]


def typed(key: DraftKey) -> ImmutableMultiDict[str, str] | None:
    """Return what a form shows instead of what is saved: what was typed before the sign-in ended, else one's draft."""
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
    """Return what the page being drawn shows of drafts; a form that comes back after a post goes on as it was."""
    if "draft_page" not in g:
        g.draft_page = DraftPage(_mark_in(request.form))
    page = g.draft_page
    assert isinstance(page, DraftPage)
    return page


def is_asked() -> bool:
    """Return whether what was posted is a draft to keep or to give up, not a form to save."""
    return request.form.get(ASKED) in (KEEP, GIVE_UP)


def answer(key: DraftKey, again: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """Keep or give up what was posted, and lead back to the page, or answer the script.

    `again` shows the form as it was posted: what could not be kept stays on the page.
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
    """Keep what was posted, within the caller's unit of work. Raises `DraftTooLarge`, `DraftOver`."""
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
    """Forget the draft of the page that was posted, in the unit of work that saves it or gives it up.

    Raises `PageSent` where a page that `creates` something was saved before; shown again, it may be.
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
    """Forget one's drafts of an object, in the unit of work that deletes it."""
    account_id = current_account_id()
    if account_id is not None:
        operations.forget_object(key, account_id=account_id)


def describe_loss(key: DraftKey) -> list[str]:
    """Return the draft one loses by an action that replaces what a form edits, as a sentence, or nothing.

    The action itself calls `forget`.
    """
    account_id = current_account_id()
    if account_id is None or not queries.list_drafts(key, account_id=account_id, now=clock.utcnow()):
        return []
    return ["Ce que vous y aviez saisi sans le valider, gardé comme brouillon, sera effacé."]


def _keep(key: DraftKey) -> tuple[str, int]:
    """Keep what was posted; return the sentence that says so, or why not, and the status."""
    try:
        with unit_of_work():
            keep_posted(key)
    except DomainError as refusal:
        return refusal.message, refusal.status
    except SQLAlchemyError as error:
        # Somebody else writes, or this very page does at the same instant.
        if not is_busy(error) and not isinstance(error, IntegrityError):
            raise
        return _BUSY, 503
    hour = format_hour(clock.utcnow(), registry().timezone())
    return f"Brouillon enregistré à {hour}", 200


def _mark_in(fields: Mapping[str, Any]) -> PageMark:
    """Return the mark of the page that some fields come from, a new one when they carry none that holds."""
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
