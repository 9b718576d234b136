"""How long the records of a departed pupil are kept: the setting, what the next night deletes, the deletion.

Years are counted from the day of departure. When that day is unknown, they are counted from the end of the school year
of the last change of the pupil's records, or of the pupil's arrival: nothing later is known of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, not_, or_, select
from sqlalchemy.orm import Session, joinedload

from cpro.audit.operations import About, record
from cpro.core import tenancy
from cpro.core.clock import last_day_of_school_year, latest_today, today_in
from cpro.core.concurrency import check_fresh
from cpro.core.drafts.operations import forget_subjects
from cpro.core.errors import FieldErrors
from cpro.core.lists import ListState, Page, find_page_from
from cpro.core.permissions import Actor
from cpro.establishments.models import Establishment
from cpro.establishments.operations.audit import record_about_school
from cpro.establishments.queries import get_current_establishment, get_school_today, lock_current_establishment
from cpro.extensions import db
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.records.operations.rules import get_draft_subject
from cpro.records.queries import count_records, get_last_changes
from cpro.students.models import Student
from cpro.students.queries import RETENTION_CHOICES, is_past_retention, kept_since

#: Number of pupils whose records are deleted per transaction, which locks the school's row: some thousands of rows.
PUPILS_AT_ONCE = 200
#: Évaluations refer to fiches, so they are deleted first.
_IN_ORDER = (Evaluation, Bilan, Fiche)


@dataclass(frozen=True)
class Expired:
    """Number of pupils and of their records that are deleted."""

    pupils: int
    fiches: int = 0
    evaluations: int = 0
    bilans: int = 0

    @property
    def records(self) -> int:
        """Return the total of the three kinds."""
        return self.fiches + self.evaluations + self.bilans


@dataclass(frozen=True)
class Preview:
    """What the next night deletes, and how many departed pupils still have records."""

    expired: Expired
    kept_pupils: int


@dataclass(frozen=True)
class Departure:
    """A departed pupil who has records: how many, and the first day whose night deletes them."""

    student: Student
    records: int
    goes_on: date


def get_retention_values(establishment: Establishment) -> dict[str, str]:
    """Return the values of the setting for its form, {field: text}."""
    return {"retention_years": str(establishment.retention_years)}


def update_retention(years: str, *, opened_on: str | None, by: Actor, now: datetime) -> bool:
    """Set how many years the current school keeps the records of departed pupils; return whether it changed.

    Nothing is deleted before the next night. Raises `FieldErrors`, `StaleForm`.
    """
    wanted = check_years(years)
    establishment = lock_current_establishment()
    before = establishment.retention_years
    if wanted == before:
        return False
    check_fresh(get_retention_values(establishment), opened_on)
    establishment.retention_years = wanted
    db.session.flush()
    record_about_school(
        "establishment:retention:changed", establishment, {"retention_years": (before, wanted)}, by=by, now=now
    )
    return True


def check_years(years: str) -> int:
    """Return an allowed number of years. Raises `FieldErrors`."""
    offered = {str(each): each for each in RETENTION_CHOICES}
    if years not in offered:
        raise FieldErrors({"retention_years": "Choisissez 1, 2 ou 3 ans."})
    return offered[years]


def forget_drafts(student_ids: Collection[int], *, establishment_id: int) -> None:
    """Delete the drafts about pupils who are about to be deleted: their ids may be reused."""
    forget_subjects(db.session(), establishment_id, [get_draft_subject(each) for each in student_ids])


def get_preview(now: datetime, *, years: int | None = None) -> Preview:
    """Return what the next night would delete in the current school, with the current setting or with `years`."""
    since = kept_since(years or get_current_establishment().retention_years, get_school_today(now))
    figures = _count(db.session(), _gone_before(since))
    departed = _count_pupils(db.session(), Student.is_active.is_(False))
    return Preview(figures, departed - figures.pupils)


def find_departures(asked: ListState, now: datetime) -> Page[Departure]:
    """Return a page of the departed pupils of the current school who have records, the earliest deletion first.

    Those whose day of departure is unknown come last. No index has this order: the departed pupils still kept are
    sorted, three years of them at most.
    """
    years, today = get_current_establishment().retention_years, get_school_today(now)
    departed = select(Student).where(Student.is_active.is_(False), _has_records()).options(joinedload(Student.division))
    day = func.coalesce(Student.departed_on, date.max)
    page = find_page_from(asked, departed, day, Student.search_key, Student.id)
    figures = count_records([student.id for student in page.rows])
    written = get_last_changes([student.id for student in page.rows if student.departed_on is None])

    def departure_of(student: Student) -> Departure:
        departed_on = student.departed_on or _supposed_departure(student, written[student.id])
        return Departure(student, figures[student.id].total, max(get_deletion_day(departed_on, years), today))

    return page.show(departure_of)


def list_schools_to_expire(now: datetime) -> Sequence[int]:
    """Return the ids of the schools where a pupil's retention has ended, or ends today, and who still has records.

    `delete_expired` uses the date in the school's own time zone.
    """
    with tenancy.platform_session("records at the end of their period") as session:
        return session.scalars(
            select(Student.establishment_id)
            .join(Establishment, Establishment.id == Student.establishment_id)
            .where(is_past_retention(_gone_before, latest_today(now)), _has_records())
            .distinct()
            .order_by(Student.establishment_id)
        ).all()


def delete_expired(session: Session, establishment_id: int, *, by: Actor, now: datetime) -> Expired:
    """Delete the records of some pupils gone for longer than a school keeps them, in a platform session.

    At most `PUPILS_AT_ONCE` pupils, to keep the lock short: call it again until it returns no record. The setting is
    read under the school's lock, so that a period just lengthened by a head is respected. The school's journal records
    how many, neither what nor whose.
    """
    school = session.scalars(
        select(Establishment)
        .where(Establishment.id == establishment_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    due = session.scalars(
        select(Student.id)
        .where(
            Student.establishment_id == establishment_id,
            _gone_before(kept_since(school.retention_years, today_in(school.timezone, now))),
            _has_records(),
        )
        .order_by(Student.id)
        .limit(PUPILS_AT_ONCE)
    ).all()
    figures = _count(session, and_(Student.establishment_id == establishment_id, Student.id.in_(due)))
    if not figures.records:
        return figures
    _delete_records(session, establishment_id, due)
    record(
        "records:expired",
        About("pupil_records", "", "Anciens apprenants"),
        by=by,
        now=now,
        changes={name: (None, count) for name, count in asdict(figures).items() if count},
        establishment_id=establishment_id,
        session=session,
    )
    return figures


def _delete_records(session: Session, establishment_id: int, student_ids: Collection[int]) -> None:
    """Delete the records of some pupils of a school, and the drafts about these pupils."""
    forget_subjects(session, establishment_id, [get_draft_subject(each) for each in student_ids])
    for model in _IN_ORDER:
        session.execute(
            delete(model).where(model.establishment_id == establishment_id, model.student_id.in_(student_ids)),
            execution_options={"synchronize_session": False},
        )


def get_deletion_day(departed_on: date, years: int) -> date:
    """Return the first day whose nightly job deletes the records of a pupil who left on `departed_on`."""
    day = date(departed_on.year + years, departed_on.month, min(departed_on.day, 28))
    while kept_since(years, day) <= departed_on:
        day += timedelta(days=1)
    return day


def _supposed_departure(student: Student, last_change: datetime) -> date:
    """Return the day from which the years of a pupil whose day of departure is unknown are counted."""
    return last_day_of_school_year(max(student.created_at, last_change).date())


def _gone_before(since: date) -> ColumnElement[bool]:
    """Return the condition of the departed pupils whose retention is counted from before a day."""
    # A school year ends before `since` if it is over when the school year of `since` begins.
    year_began = datetime(last_day_of_school_year(since).year - 1, 9, 1, tzinfo=UTC)
    written_since = or_(*(_has_one(model, model.changed_at >= year_began) for model in _IN_ORDER))
    undated = and_(Student.departed_on.is_(None), Student.created_at < year_began, not_(written_since))
    return and_(Student.is_active.is_(False), or_(Student.departed_on < since, undated))


def _has_records() -> ColumnElement[bool]:
    return or_(*(_has_one(model) for model in _IN_ORDER))


def _has_one(model: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of the pupils who have such a record, also in a statement that reads those records."""
    return select(model.id).where(_is_of_pupil(model), *conditions).correlate(Student).exists()


def _is_of_pupil(model: Any) -> ColumnElement[bool]:
    """Return the condition of the records of a pupil; their school is the first column of both indexes."""
    return and_(model.establishment_id == Student.establishment_id, model.student_id == Student.id)


def _count(session: Session, whose: ColumnElement[bool]) -> Expired:
    counts = [
        session.scalar(select(func.count(model.id)).join(Student, _is_of_pupil(model)).where(whose)) or 0
        for model in (Fiche, Evaluation, Bilan)
    ]
    return Expired(_count_pupils(session, whose), *counts)


def _count_pupils(session: Session, whose: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count(Student.id)).where(whose, _has_records())) or 0
