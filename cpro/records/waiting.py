"""Read what waits for a teacher, by division: two statements that read the pupils of these divisions alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select

from cpro.extensions import db
from cpro.records.models import Fiche, FicheState
from cpro.records.queries import not_evaluated_since
from cpro.students.models import Division, Student


@dataclass(frozen=True)
class Waiting:
    """What waits in one division: fiches to validate, pupils present without an évaluation since a day."""

    division: Division
    to_validate: int
    not_evaluated: int


def list_waiting(divisions: Sequence[Division], since: date) -> list[Waiting]:
    """Return what waits in each of some divisions, in their order; `since` is the first day that évaluations count."""
    ids = [each.id for each in divisions]
    if not ids:
        return []
    # Counted pupil by pupil: a join would let a database begin with every fiche of the school.
    submitted = (
        select(func.count(Fiche.id))
        .where(Fiche.student_id == Student.id, Fiche.state == FicheState.SUBMITTED)
        .scalar_subquery()
    )
    fiches = _by_division(func.sum(submitted), ids)
    pupils = _by_division(func.count(), ids, not_evaluated_since(since))
    return [Waiting(each, fiches.get(each.id, 0), pupils.get(each.id, 0)) for each in divisions]


def _by_division(
    counted: ColumnElement[int], ids: Collection[int], *conditions: ColumnElement[bool]
) -> Mapping[int | None, int]:
    """Return a count of the pupils present in some divisions, {division id: count}."""
    present = select(Student.division_id, counted).where(Student.division_id.in_(ids), Student.is_active, *conditions)
    return {division_id: count for division_id, count in db.session.execute(present.group_by(Student.division_id))}
