"""Queries on the teachers' pending work: fiches to validate, pupils without an évaluation.

A fiche is pending from its submission, while its pupil is present.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, func, select

from cpro.extensions import db
from cpro.records.models import Fiche, FicheState
from cpro.records.queries import not_evaluated_since
from cpro.students.models import Division, Student, TeacherDivision


@dataclass(frozen=True)
class PendingWork:
    """Pending work in one division: fiches to validate, pupils present without an évaluation since a day."""

    division: Division
    to_validate: int
    not_evaluated: int


def select_pending(*pupils: ColumnElement[bool]) -> Select[int]:
    """Return the ids of the pending fiches, of all pupils present or of those that meet conditions."""
    present = select(Student.id).where(Student.is_active, *pupils)
    return select(Fiche.id).where(Fiche.state == FicheState.SUBMITTED, Fiche.student_id.in_(present))


def select_pending_of_teacher(account_id: ColumnElement[int]) -> Select[int]:
    """Return the ids of the pending fiches of a teacher's divisions."""
    taught = select(TeacherDivision.division_id).where(TeacherDivision.account_id == account_id)
    return select_pending(Student.division_id.in_(taught))


def count_pending_fiches(*pupils: ColumnElement[bool]) -> Mapping[int | None, int]:
    """Return the number of pending fiches in each division that has pupils present, {division id: count}."""
    # Counted pupil by pupil: with a join, a database could start from every fiche of the school.
    submitted = (
        select(func.count(Fiche.id))
        .where(Fiche.student_id == Student.id, Fiche.state == FicheState.SUBMITTED)
        .scalar_subquery()
    )
    return _by_division(func.sum(submitted), *pupils)


def list_pending(divisions: Sequence[Division], since: date) -> list[PendingWork]:
    """Return the pending work of some divisions, in their order; `since` is the first day from which évaluations count.

    Two statements, which only read the pupils of these divisions.
    """
    if not divisions:
        return []
    theirs = Student.division_id.in_([each.id for each in divisions])
    fiches = count_pending_fiches(theirs)
    pupils = _by_division(func.count(), theirs, not_evaluated_since(since))
    return [PendingWork(each, fiches.get(each.id, 0), pupils.get(each.id, 0)) for each in divisions]


def _by_division(counted: ColumnElement[int], *pupils: ColumnElement[bool]) -> Mapping[int | None, int]:
    """Return a count of the pupils present who meet conditions, {division id: count}."""
    present = select(Student.division_id, counted).where(Student.is_active, *pupils)
    return {division_id: count for division_id, count in db.session.execute(present.group_by(Student.division_id))}
