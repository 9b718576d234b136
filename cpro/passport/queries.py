"""Read the content of passports, in a fixed number of statements for any number of pupils; read the issues."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from cpro.core.jobs.models import Job
from cpro.extensions import db
from cpro.passport.models import PassportIssue
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState
from cpro.students.models import Division, Student

Row = TypeVar("Row", Fiche, Evaluation, Bilan)


@dataclass(frozen=True)
class Portfolio:
    """A pupil, loaded with division and diploma, and the content of their passport, oldest first."""

    student: Student
    #: validated ones only
    fiches: Sequence[Fiche]
    evaluations: Sequence[Evaluation]
    bilans: Sequence[Bilan]

    @property
    def entry_count(self) -> int:
        """Return the number of records of the three kinds."""
        return len(self.fiches) + len(self.evaluations) + len(self.bilans)


def get_portfolio(student: Student) -> Portfolio:
    """Return the portfolio of a pupil loaded with division and diploma."""
    return list_portfolios([student])[0]


def list_portfolios(students: Sequence[Student]) -> list[Portfolio]:
    """Return the portfolios of pupils loaded with division and diploma, in the same order. Three statements."""
    ids = [student.id for student in students]
    fiches = _by_student(
        select(Fiche)
        .where(Fiche.student_id.in_(ids), Fiche.state == FicheState.VALIDATED)
        .order_by(Fiche.starts_on, Fiche.ends_on, Fiche.id)
    )
    evaluations = _by_student(
        select(Evaluation).where(Evaluation.student_id.in_(ids)).order_by(Evaluation.evaluated_on, Evaluation.id)
    )
    bilans = _by_student(
        select(Bilan).where(Bilan.student_id.in_(ids)).order_by(Bilan.starts_on, Bilan.ends_on, Bilan.id)
    )
    return [
        Portfolio(
            student,
            fiches.get(student.id, []),
            evaluations.get(student.id, []),
            bilans.get(student.id, []),
        )
        for student in students
    ]


def list_pupils_present(division_id: int) -> list[int]:
    """Return the ids of the pupils present in a division, by name."""
    return list(
        db.session.scalars(
            select(Student.id)
            .where(Student.division_id == division_id, Student.is_active)
            .order_by(Student.search_key, Student.id)
        )
    )


def list_pupils(ids: Iterable[int]) -> Sequence[Student]:
    """Return pupils with their division and diploma, by name."""
    return db.session.scalars(
        select(Student)
        .where(Student.id.in_(ids))
        .options(joinedload(Student.division).options(joinedload(Division.diploma)))
        .order_by(Student.search_key, Student.id)
    ).all()


def count_issues(student_id: int) -> int:
    """Return how many passports were issued to a pupil."""
    return db.session.scalar(select(func.count(PassportIssue.id)).where(PassportIssue.student_id == student_id)) or 0


def select_issues(since: datetime, until: datetime) -> Select[int]:
    """Return the ids of the passports issued between two instants."""
    return select(PassportIssue.id).where(PassportIssue.issued_at >= since, PassportIssue.issued_at < until)


def count_issues_by_division(since: datetime) -> Mapping[int | None, int]:
    """Count the passports issued since an instant to the pupils now present, {division id: count}."""
    issued = (
        select(Student.division_id, func.count(PassportIssue.id))
        .join(PassportIssue, PassportIssue.student_id == Student.id)
        .where(PassportIssue.issued_at >= since, Student.is_active)
        .group_by(Student.division_id)
    )
    return {division_id: count for division_id, count in db.session.execute(issued)}


def find_issue(session: Session, code: str) -> PassportIssue | None:
    """Return the passport issued under a code by any school, or None; in a platform session."""
    return session.scalars(select(PassportIssue).where(PassportIssue.code == code)).one_or_none()


def get_division_code(job: Job) -> str:
    """Return the code of the division whose passports a job renders."""
    return str(job.arguments["division"])


def count_present_by_division(divisions: Sequence[Division]) -> list[tuple[Division, int]]:
    """Return divisions with how many pupils are present in each."""
    counts = {
        division_id: count
        for division_id, count in db.session.execute(
            select(Student.division_id, func.count(Student.id))
            .where(Student.division_id.in_([each.id for each in divisions]), Student.is_active)
            .group_by(Student.division_id)
        )
    }
    return [(each, counts.get(each.id, 0)) for each in divisions]


def _by_student(statement: Select[Row]) -> Mapping[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in db.session.scalars(statement):
        found[row.student_id].append(row)
    return found
