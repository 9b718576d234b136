"""Read the news of the records: fiches that wait for a teacher, what a pupil was given.

The journal records a whole grid in one line and names no fiche; the records say whose they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, asc, desc, func, select

from cpro.core.permissions import Permission, Principal
from cpro.core.reader import READER_ID
from cpro.extensions import db
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState
from cpro.students.models import Student, TeacherDivision

#: Values, or what stands for them in a statement that is composed once.
Id = int | ColumnElement[int]
Instant = datetime | ColumnElement[datetime]

#: Évaluations reported as one news item: a page of levels that a teacher gave on a day.
_TOGETHER = (Evaluation.student_id, Evaluation.author_id, Evaluation.author_label, Evaluation.evaluated_on)


@dataclass(frozen=True)
class GivenLevels:
    """The levels that a teacher gave a pupil on a day."""

    student_id: int
    author: str
    day: date
    competences: int
    #: the code of one of them
    code: str


@dataclass(frozen=True)
class RecordNews:
    """One news item of the records, with its date: a fiche that waits or was validated, a bilan, levels."""

    at: datetime
    about: Fiche | Bilan | GivenLevels


def select_new(rights: frozenset[Permission], after: ColumnElement[datetime]) -> list[Select[Any]]:
    """Return the news of the records since an instant, to be counted: nothing for people who have no part in them."""
    found: list[Select[Any]] = []
    if Permission.PUPILS_EVALUATE in rights:
        found.append(select(Fiche.id).where(_waits_for(READER_ID, after)))
    if Permission.OWN_RECORDS in rights:
        found.append(select(Fiche.id).where(_is_validated_for(READER_ID, after)))
        found.append(select(Bilan.id).where(_is_written_for(READER_ID, after)))
        found.append(select(func.max(Evaluation.id)).where(_is_given_to(READER_ID, after)).group_by(*_TOGETHER))
    return found


def list_new(person: Principal, after: datetime, *, limit: int, oldest: bool) -> list[RecordNews]:
    """Return the news of the records since an instant, a bounded number of each kind: the `oldest`, or the latest.

    One statement per kind.
    """
    order = asc if oldest else desc
    news: list[RecordNews] = []
    if person.can(Permission.PUPILS_EVALUATE):
        waiting = select(Fiche).where(_waits_for(person.id, after)).order_by(order(Fiche.changed_at)).limit(limit)
        news += [RecordNews(each.changed_at, each) for each in db.session.scalars(waiting)]
    if person.can(Permission.OWN_RECORDS):
        validated = select(Fiche).where(_is_validated_for(person.id, after)).order_by(order(Fiche.validated_at))
        news += [
            RecordNews(each.validated_at or each.changed_at, each)
            for each in db.session.scalars(validated.limit(limit))
        ]
        written = select(Bilan).where(_is_written_for(person.id, after)).order_by(order(Bilan.changed_at))
        news += [RecordNews(each.changed_at, each) for each in db.session.scalars(written.limit(limit))]
        news += _list_given(person.id, after, limit, oldest=oldest)
    return news


def _waits_for(account_id: Id, after: Instant) -> ColumnElement[bool]:
    """Return the condition of the fiches submitted to a teacher: those of the pupils present in their divisions."""
    divisions = select(TeacherDivision.division_id).where(TeacherDivision.account_id == account_id)
    pupils = select(Student.id).where(Student.is_active, Student.division_id.in_(divisions))
    return (
        (Fiche.state == FicheState.SUBMITTED)
        & (Fiche.changed_at > after)
        & Fiche.received_in.is_(None)
        & Fiche.student_id.in_(pupils)
    )


def _is_validated_for(account_id: Id, after: Instant) -> ColumnElement[bool]:
    return _is_for(Fiche, account_id) & (Fiche.state == FicheState.VALIDATED) & (Fiche.validated_at > after)


def _is_written_for(account_id: Id, after: Instant) -> ColumnElement[bool]:
    return _is_for(Bilan, account_id) & (Bilan.changed_at > after)


def _is_for(kind: type[Fiche] | type[Bilan] | type[Evaluation], account_id: Id) -> ColumnElement[bool]:
    """Return the condition of what was written here about the holder of an account."""
    own = select(Student.id).where(Student.account_id == account_id)
    return kind.student_id.in_(own) & kind.received_in.is_(None)


def _is_given_to(account_id: Id, after: Instant) -> ColumnElement[bool]:
    return _is_for(Evaluation, account_id) & (Evaluation.created_at > after)


def _list_given(account_id: int, after: datetime, limit: int, *, oldest: bool) -> list[RecordNews]:
    last = func.max(Evaluation.created_at, type_=Evaluation.created_at.type)
    columns = select(
        last,
        Evaluation.student_id,
        Evaluation.author_label,
        Evaluation.evaluated_on,
        func.count(),
        func.min(Evaluation.competence_code),
    )
    rows = db.session.execute(
        columns.where(_is_given_to(account_id, after))
        .group_by(*_TOGETHER)
        .order_by(asc(last) if oldest else desc(last))
        .limit(limit)
    )
    return [
        RecordNews(at, GivenLevels(student_id, author, day, number, code))
        for at, student_id, author, day, number, code in rows
    ]
