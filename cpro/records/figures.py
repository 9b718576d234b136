"""Count the levels given in a school year, by division and by diploma.

Only what was written here is counted: copies made by a transfer concern another school.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Select, case, func, or_, select

from cpro.extensions import db
from cpro.records.models import Evaluation, Level
from cpro.students.models import Student
from cpro.students.queries import get_short_labels


@dataclass(frozen=True)
class Period:
    """A range of days, both ends included."""

    first: date
    last: date


@dataclass
class LevelFigures:
    """How many évaluations were given, and the latest level of the pupils' competences."""

    evaluations: int = 0
    #: {level: number of pupils' competences whose latest level it is}
    by_level: dict[int, int] = field(default_factory=lambda: {level.value: 0 for level in Level})

    def add(self, level: int, competences: int, evaluations: int) -> None:
        """Add évaluations given at a level, and the pupils' competences whose latest level it is."""
        self.evaluations += evaluations
        self.by_level[level] += competences

    @property
    def share(self) -> int | None:
        """Return the percentage of competences at the two higher levels; None where no level was given."""
        counted = sum(self.by_level.values())
        high = sum(number for level, number in self.by_level.items() if level >= Level.SATISFACTORY)
        return round(100 * high / counted) if counted else None


@dataclass(frozen=True)
class SchoolLevels:
    """The levels of two periods: by division of the pupils present in the later one, by diploma for both."""

    #: None holds the pupils present without division
    by_division: Mapping[int | None, LevelFigures]
    #: {(code of the diploma, whether the later period): figures}
    by_diploma: Mapping[tuple[str, bool], LevelFigures]
    #: {code of the diploma: its current label, or a label stored with an évaluation if it was deleted}
    labels: Mapping[str, str]


def select_evaluations(period: Period) -> Select[int]:
    """Return the ids of the évaluations of a period."""
    return select(Evaluation.id).where(Evaluation.evaluated_on.between(period.first, period.last))


def count_levels(period: Period, before: Period) -> SchoolLevels:
    """Return the levels of two periods, the second the earlier.

    Two statements: one reads only the évaluations of these periods, one the labels of their diplomas.
    """
    is_later = case((Evaluation.evaluated_on >= period.first, 1), else_=0)
    competence = (Evaluation.student_id, Evaluation.diploma_code, Evaluation.competence_code, is_later)
    given = (
        select(
            Evaluation.student_id,
            Evaluation.diploma_code,
            Evaluation.diploma_label,
            Evaluation.level,
            is_later.label("is_later"),
            func.row_number()
            .over(partition_by=competence, order_by=(Evaluation.evaluated_on.desc(), Evaluation.id.desc()))
            .label("rank"),
        )
        .where(
            or_(*(Evaluation.evaluated_on.between(each.first, each.last) for each in (period, before))),
            Evaluation.received_in.is_(None),
        )
        .subquery()
    )
    is_present = case((Student.is_active, 1), else_=0)
    division = case((Student.is_active, Student.division_id))
    rows = db.session.execute(
        select(
            is_present,
            division,
            given.c.diploma_code,
            func.max(given.c.diploma_label),
            given.c.is_later,
            given.c.level,
            func.count(case((given.c.rank == 1, 1))),
            func.count(),
        )
        .join(given, given.c.student_id == Student.id)
        .group_by(is_present, division, given.c.diploma_code, given.c.is_later, given.c.level)
    )
    by_division: dict[int | None, LevelFigures] = {}
    by_diploma: dict[tuple[str, bool], LevelFigures] = {}
    labels: dict[str, str] = {}
    for present, division_id, code, label, later, level, competences, evaluations in rows:
        by_diploma.setdefault((code, bool(later)), LevelFigures()).add(level, competences, evaluations)
        labels[code] = label
        if later and present:
            by_division.setdefault(division_id, LevelFigures()).add(level, competences, evaluations)
    return SchoolLevels(by_division, by_diploma, labels | get_short_labels(labels))
