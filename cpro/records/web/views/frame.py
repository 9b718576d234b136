"""Common parts of the pages about one pupil: the pupil, the visitor's powers, the tabs, the journal's page views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, events
from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import DomainError
from cpro.core.formatting import format_date, of_name, of_school, spoken_name
from cpro.core.permissions import Actor, Permission
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import announce, current_actor
from cpro.core.web.edit_page import EditForm, EditPage
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.screens import above
from cpro.establishments.queries import get_school_today
from cpro.records import queries
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.records.operations import rules
from cpro.records.operations.rules import Powers, get_draft_subject
from cpro.records.web.views import LIST
from cpro.records.web.views.listed import list_beside
from cpro.students.models import Student

PER_PAGE = 20


@dataclass(frozen=True)
class PupilPage:
    """A pupil, loaded with division and diploma, and what the visitor may do with their records."""

    student: Student
    powers: Powers

    @property
    def name(self) -> str:
        """Return the pupil's name as shown in a title."""
        return spoken_name(self.student.first_name, self.student.shown_name)

    @property
    def of_name(self) -> str:
        """Return the pupil's name as it follows « fiches » or « bilan »: « de Noé AGATE », « d’Éloïse AMBRE »."""
        return of_name(self.name)

    def find_change_refusal(self, row: Fiche | Evaluation | Bilan) -> str:
        """Return why the visitor may neither change nor delete a record, or "" when they may."""
        refusal = rules.find_change_refusal(row, self.powers, current_actor())
        return refusal.message if refusal else ""


def open_pupil(student_id: int) -> PupilPage:
    """Return a pupil whose records the visitor may read. Raises `NotFound`, `NotYourPupil`."""
    student = queries.get_pupil(student_id)
    return PupilPage(student, rules.check_may_read(student, current_actor()))


def read_pupil(student_id: int, what: str) -> PupilPage:
    """Return a pupil, as `open_pupil` does, for a page that shows records: an inspector's view is recorded in the
    journal.

    `what` is the name of the page in the journal: « fiches », « bilans ».
    """
    page = open_pupil(student_id)
    announce_view(page, what)
    return page


def announce_view(page: PupilPage, what: str) -> None:
    """Announce that a page that shows a pupil's records is read, as `read_pupil` does."""
    announce(
        events.record_opened,
        "records",
        object_type="pupil_records",
        object_id=str(page.student.id),
        object_label=f"{page.name} ({what})",
    )


class RecordPage(EditPage[EditForm]):
    """The form of a record of a pupil, existing or new."""

    #: name of the record in the template and among drafts, and the pupil's tab that lists its kind
    kind: str
    tab: str
    draft: DraftKey
    record: Any = None
    #: returns the record of a pupil by its id, or raises `NotFound`
    get_record: Callable[[int, int], Any]
    values_of: Callable[[Any], Mapping[str, Any]]
    keeps_absent = False

    def __init__(self, student_id: int, record_id: int | None = None) -> None:
        self.student_id, self.record_id = student_id, record_id
        self.load()
        self.draft = DraftKey(self.kind, f"{student_id}/{record_id or 'new'}", get_draft_subject(student_id))

    def load(self) -> None:
        self.pupil = open_pupil(self.student_id)
        self.record = self.get_record(self.student_id, self.record_id) if self.record_id is not None else None

    def check(self) -> None:
        if self.record is not None:
            rules.check_may_change(self.record, self.pupil.student, current_actor())
        else:
            rules.check_may_evaluate(self.pupil.student, current_actor())

    def values(self) -> Mapping[str, Any] | None:
        return self.values_of(self.record) if self.record is not None else None

    def is_final(self, refusal: DomainError) -> bool:
        return refusal.status == 403

    def delete(
        self, delete: Callable[..., object], *, check: Callable[..., object], done: str, **words: Any
    ) -> ResponseReturnValue:
        """Confirm, with these texts, then delete the record."""
        listed = url_for(f"records.{self.tab}", student_id=self.student_id)
        if request.method == "POST":
            with unit_of_work():
                delete(self.student_id, self.record_id, by=current_actor(), now=clock.utcnow())
                drafts.forget(self.draft)
            return back_to(listed, done)
        check(self.record, self.pupil.student, current_actor())
        own = url_for(f"records.delete_{self.kind}", **(request.view_args or {}))
        return render_page("confirm.html", fields={}, danger=True, action_url=own, **{"cancel_url": listed, **words})

    def context(self, form: EditForm) -> Mapping[str, Any]:
        return {self.kind: self.record, **get_frame(self.pupil, self.tab)}


def get_frame(page: PupilPage, part: str) -> dict[str, Any]:
    """Return the frame of every page of a pupil: name, tabs with their counts, why records are frozen."""
    student, actor = page.student, current_actor()
    figures = queries.count_records([student.id]).get(student.id, queries.Figures())
    return {
        "pupil": page,
        "list_url": _list_url(student) if actor.can(Permission.PUPILS_VIEW) else "",
        "student": student,
        "powers": page.powers,
        # An inspector's id is not an account's, though they may be equal.
        "is_own": actor.can(Permission.OWN_RECORDS) and student.account_id == actor.id,
        "frozen": page.powers.frozen.message if page.powers.frozen else "",
        "figures": figures,
        "tabs": [
            {"label": label, "url": url_for(f"records.{endpoint}", student_id=student.id), "current": part == endpoint}
            for endpoint, label in (
                ("pupil", "Vue d’ensemble"),
                ("fiches", f"Fiches ({figures.fiches})"),
                ("evaluations", f"Évaluations ({figures.evaluations})"),
                ("bilans", f"Bilans ({figures.bilans})"),
            )
        ],
        "elsewhere": list_other_pages(student, actor),
        "describe_origin": describe_origin,
        "describe_period": describe_period,
    }


def _list_url(student: Student) -> str:
    """Return the address of the list in its last state, at the row of a pupil."""
    return above.at_row(above.list_address(LIST, url_for("records.pupils")), student.id)


def list_other_pages(student: Student, actor: Actor) -> list[tuple[str, str]]:
    """Return the other pages of a pupil that a visitor may open, as (label, URL): among the pupils, their account."""
    pages = []
    if actor.can(Permission.STUDENTS_VIEW):
        pages.append(("Voir la fiche de l’élève", url_for("eleves.details_view", id=student.id)))
    if actor.can(Permission.USERS_VIEW) and student.account_id is not None:
        pages.append(("Voir son compte", url_for("utilisateurs.details_view", id=student.account_id)))
    return pages


def get_tab_frame(page: PupilPage, part: str) -> dict[str, Any]:
    """Return the frame of a read-only page of a pupil: `get_frame`, and the previous and next pupils."""
    beside = list_beside(page.student.id, part)  # first: it sets the page of the list to link back to
    return {"neighbours": beside, "list_above": above.list_parameters(), **get_frame(page, part)}


def describe_origin(row: Fiche | Evaluation | Bilan) -> str:
    """Return the origin of a record: author and day, and the school for a copy."""
    written = format_date(get_school_today(row.created_at))
    if row.received_in is not None:
        return f"Reçu {of_school(row.origin_school)} : écrit par {row.author_label} le {written}"
    return f"{row.author_label}, le {written}"


def describe_period(row: Fiche | Bilan) -> str:
    """Return the days of a fiche or a bilan: « du 05/10/2026 au 16/10/2026 », « le 05/10/2026 »."""
    if row.starts_on == row.ends_on:
        return f"le {format_date(row.starts_on)}"
    return f"du {format_date(row.starts_on)} au {format_date(row.ends_on)}"
