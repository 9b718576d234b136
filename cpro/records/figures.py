"""Count the levels given in a school year, by division and by diploma.

What is counted is what was written here: copies that a transfer made tell of another school.
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
    """Some days, both included."""

    first: date
    last: date


@dataclass
class LevelFigures:
    """How many évaluations were given, and at which level pupils' competences stand after the last of them."""

    evaluations: int = 0
    #: {level: how many competences of pupils stand there}
    standing: dict[int, int] = field(default_factory=lambda: {level.value: 0 for level in Level})

    def add(self, level: int, competences: int, evaluations: int) -> None:
        """Count the évaluations given at a level, and the competences of pupils that stand there after their last."""
        self.evaluations += evaluations
        self.standing[level] += competences

    @property
    def share(self) -> int | None:
        """Return how many of a hundred competences stand at the two higher levels; None where nothing was given."""
        counted = sum(self.standing.values())
        high = sum(number for level, number in self.standing.items() if level >= Level.SATISFACTORY)
        return round(100 * high / counted) if counted else None


@dataclass(frozen=True)
class SchoolLevels:
    """The levels of two periods: by division of the pupils who are there for the later one, by diploma for both."""

    by_division: Mapping[int, LevelFigures]
    #: {(code of the diploma, whether the later period): figures}
    by_diploma: Mapping[tuple[str, bool], LevelFigures]
    #: {code of the diploma: its label of today, one it was written with if it is gone}
    labels: Mapping[str, str]


def select_evaluations(period: Period) -> Select[int]:
    """Return the ids of the évaluations of some days."""
    return select(Evaluation.id).where(Evaluation.evaluated_on.between(period.first, period.last))


def count_levels(period: Period, before: Period) -> SchoolLevels:
    """Return the levels of two periods, the second the earlier.

    Two statements: one reads the évaluations of these periods alone, one the labels of their diplomas.
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
    division = case((Student.is_active, Student.division_id))
    rows = db.session.execute(
        select(
            division,
            given.c.diploma_code,
            func.max(given.c.diploma_label),
            given.c.is_later,
            given.c.level,
            func.count(case((given.c.rank == 1, 1))),
            func.count(),
        )
        .join(given, given.c.student_id == Student.id)
        .group_by(division, given.c.diploma_code, given.c.is_later, given.c.level)
    )
    by_division: dict[int, LevelFigures] = {}
    by_diploma: dict[tuple[str, bool], LevelFigures] = {}
    labels: dict[str, str] = {}
    for division_id, code, label, later, level, competences, evaluations in rows:
        by_diploma.setdefault((code, bool(later)), LevelFigures()).add(level, competences, evaluations)
        labels[code] = label
        if later and division_id is not None:
            by_division.setdefault(division_id, LevelFigures()).add(level, competences, evaluations)
    return SchoolLevels(by_division, by_diploma, labels | get_short_labels(labels))
