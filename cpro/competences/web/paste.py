"""A list pasted from the text of a référentiel: parsed, shown, corrected in the text itself, then saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.competences import operations, queries
from cpro.competences.pasted import PastedList, list_by_block, read_pasted
from cpro.competences.reader import CompetenceRecord, UnreadableList
from cpro.competences.web.forms import READ, SAVE, PasteForm
from cpro.competences.web.views import bp, describe_update
from cpro.core import clock
from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import Conflict
from cpro.core.permissions import Permission, requires
from cpro.core.web.current_user import current_actor
from cpro.core.web.edit_page import EditPage


class ListChanged(Conflict):
    """The list changed since it was shown."""

    message = "La liste a changé entre-temps. Rien n’a été écrasé\u202f: relisez ce qui suit, puis validez à nouveau."


class PastePage(EditPage[PasteForm]):
    """The form of a pasted list, with the parsed result once it has been read."""

    form_class, template = PasteForm, "competences/paste.html"

    def __init__(self, diploma_id: int) -> None:
        self.diploma_id = diploma_id
        self.draft = DraftKey("competences", str(diploma_id))
        self.load()

    def load(self) -> None:
        self.diploma = queries.get_diploma(self.diploma_id)
        operations.check_not_national(self.diploma)

    def values(self) -> None:
        return None

    def before_save(self, form: PasteForm) -> ResponseReturnValue | None:
        found = _read(form)
        found.check()
        if request.form.get("geste") == SAVE and form.seen.data == _fingerprint(found.records):
            return None
        return self.page(form)

    def save(self, form: PasteForm) -> tuple[str, str]:
        diploma, opened_on = queries.get_diploma(self.diploma_id), form.version.data
        try:
            done = operations.update_list(
                diploma, _read(form).records, opened_on=opened_on, by=current_actor(), now=clock.utcnow()
            )
        except StaleForm as clash:
            raise ListChanged from clash
        return url_for("competences.index", diploma_id=diploma.id), describe_update(done)

    def context(self, form: PasteForm) -> Mapping[str, Any]:
        found = _read_if_any(form)
        return {
            "diploma": self.diploma,
            "found": found,
            "groups": list_by_block(found) if found else [],
            "plan": operations.plan_list(self.diploma, found.records) if found else None,
            "seen": _fingerprint(found.records) if found and not found.faults else "",
            "version": fingerprint(operations.get_stored_values(queries.list_competences(self.diploma_id))),
            "unseen": bool(found and form.seen.data and form.seen.data != _fingerprint(found.records)),
            "read": READ,
            "save": SAVE,
        }


@bp.get("/coller")
@requires(Permission.DIPLOMAS_EDIT)
def paste(diploma_id: int) -> ResponseReturnValue:
    """Ask for the text of a référentiel, or show again a pasted text that was not saved."""
    return PastePage(diploma_id).show()


@bp.post("/coller")
@requires(Permission.DIPLOMAS_EDIT, keeps_typed_form=True)
def save_pasted(diploma_id: int) -> ResponseReturnValue:
    """Show the parsed result; save it once it has been shown."""
    return PastePage(diploma_id).answer()


def _read(form: PasteForm) -> PastedList:
    """Parse the text of a form. Raises `UnreadableList` on the text field."""
    return read_pasted(form.text.data or "")


def _read_if_any(form: PasteForm) -> PastedList | None:
    """Return the parsed text for display, None when it is blank or not a list."""
    try:
        found = _read(form)
    except UnreadableList:
        return None
    return found if found.records or found.left_aside else None


def _fingerprint(records: Sequence[CompetenceRecord]) -> str:
    return fingerprint({"list": [[each.code, each.label] for each in records]})
