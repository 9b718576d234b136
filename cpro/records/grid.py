"""Read the grid of a division: pupils, competences of the diploma, levels given by a teacher on a day, latest levels.

Four statements, however many pupils and competences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select

from cpro.competences.models import Competence
from cpro.competences.queries import list_competences
from cpro.core.among import is_among
from cpro.extensions import db
from cpro.records import queries
from cpro.records.models import Evaluation
from cpro.students.models import Division, Student

#: A pupil and a competence, by id.
Cell = tuple[int, int]


@dataclass(frozen=True)
class LastLevel:
    """The latest level of a cell, except the teacher's own of the day (in the cell); `id` is its évaluation's."""

    id: int
    level: int
    evaluated_on: date
    author_label: str


@dataclass(frozen=True)
class Grid:
    """The levels of a division on a day, for one teacher."""

    students: Sequence[Student]
    competences: Sequence[Competence]
    #: the évaluations given by this teacher that day
    own: Mapping[Cell, Evaluation]
    last: Mapping[Cell, LastLevel]
    #: the latest évaluation read: those with a greater id are newer
    seen: int

    @property
    def shown(self) -> dict[Cell, str]:
        """Return the levels displayed in the cells."""
        return {cell: str(each.level) for cell, each in self.own.items()}


def read_grid(division: Division, day: date, account_id: int) -> Grid:
    """Return the grid of a division: pupils by name, competences in the order of the diploma."""
    students = queries.list_present_of_division(division.id)
    competences = list_competences(division.diploma_id) if division.diploma_id else []
    student_ids, competence_ids = [each.id for each in students], [each.id for each in competences]
    return Grid(
        students,
        competences,
        _list_own(student_ids, competence_ids, day, account_id),
        _list_last(student_ids, competence_ids, day, account_id),
        _get_latest_id(student_ids),
    )


def list_levels_since(grid: Grid, seen: int, account_id: int) -> dict[Cell, LastLevel]:
    """Return the latest level given by another teacher in each cell since a page that had read `seen` was rendered."""
    found = select(Evaluation).where(
        is_among(Evaluation.student_id, [each.id for each in grid.students]),
        is_among(Evaluation.competence_id, [each.id for each in grid.competences]),
        Evaluation.id > seen,
        Evaluation.author_id.is_distinct_from(account_id),
        Evaluation.received_in.is_(None),
    )
    return {
        (each.student_id, each.competence_id or 0): LastLevel(each.id, each.level, each.evaluated_on, each.author_label)
        for each in db.session.scalars(found.order_by(Evaluation.id))
    }


def _list_own(
    student_ids: Collection[int], competence_ids: Collection[int], day: date, account_id: int
) -> dict[Cell, Evaluation]:
    found = select(Evaluation).where(
        is_among(Evaluation.student_id, student_ids),
        is_among(Evaluation.competence_id, competence_ids),
        Evaluation.evaluated_on == day,
        Evaluation.author_id == account_id,
        Evaluation.received_in.is_(None),
    )
    return {
        (each.student_id, each.competence_id or 0): each for each in db.session.scalars(found.order_by(Evaluation.id))
    }


def _list_last(
    student_ids: Collection[int], competence_ids: Collection[int], day: date, account_id: int
) -> dict[Cell, LastLevel]:
    latest_first = (Evaluation.evaluated_on.desc(), Evaluation.id.desc())
    ranked = (
        select(
            Evaluation.student_id,
            Evaluation.competence_id,
            Evaluation.id,
            Evaluation.level,
            Evaluation.evaluated_on,
            Evaluation.author_label,
            func.row_number()
            .over(partition_by=(Evaluation.student_id, Evaluation.competence_id), order_by=latest_first)
            .label("place"),
        )
        .where(
            is_among(Evaluation.student_id, student_ids),
            is_among(Evaluation.competence_id, competence_ids),
            or_(
                Evaluation.evaluated_on != day,
                Evaluation.author_id.is_distinct_from(account_id),
                Evaluation.received_in.is_not(None),
            ),
        )
        .subquery()
    )
    rows = db.session.execute(select(ranked).where(ranked.c.place == 1))
    return {(student_id, competence_id): LastLevel(*found) for student_id, competence_id, *found, _place in rows}


def _get_latest_id(student_ids: Collection[int]) -> int:
    latest = select(func.max(Evaluation.id)).where(is_among(Evaluation.student_id, student_ids))
    return db.session.scalar(latest) or 0
