"""Read the figures of a school year, and of the previous year up to the same day.

Rows are counted before they are read: beyond `MOST_READ` rows of a kind, its figures are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from cpro.core.clock import end_of, first_day_of_school_year, same_day_last_year, start_of
from cpro.core.counts import Counted, count_together
from cpro.core.formatting import MoreThan
from cpro.extensions import db
from cpro.passport.queries import count_issues_by_division, select_issues
from cpro.records.figures import Period, SchoolLevels, count_levels, select_evaluations
from cpro.records.pending import count_pending_fiches, select_pending
from cpro.students.models import Division, Student
from cpro.students.queries import select_active_students

#: Maximum number of rows of one kind that the page reads: ten times what the largest schools write in two years.
MOST_READ = 200_000


@dataclass(frozen=True)
class YearFigures:
    """The figures of the page; a part is None where it has too many rows to be read within a request."""

    period: Period
    before: Period
    divisions: Sequence[Division]
    present: Mapping[int | None, int] | None
    levels: SchoolLevels | None
    pending: Mapping[int | None, int] | None
    issued: Mapping[int | None, int] | None
    #: passports of the whole school, this year and the previous one
    passports: tuple[int, int]


def read_year(today: date, timezone: str) -> YearFigures:
    """Return the figures of the school year that contains `today`, up to that day."""
    period = Period(first_day_of_school_year(today), today)
    before = Period(same_day_last_year(period.first), same_day_last_year(today))
    began = start_of(period.first, timezone)
    counts = count_together(
        {
            "pupils": Counted(select_active_students(), MOST_READ),
            "evaluations": Counted(select_evaluations(Period(before.first, today)), MOST_READ),
            "pending": Counted(select_pending(), MOST_READ),
            "issued": Counted(select_issues(began, end_of(today, timezone)), MOST_READ),
            "issued before": Counted(
                select_issues(start_of(before.first, timezone), end_of(before.last, timezone)), MOST_READ
            ),
        }
    )
    few = {name: not isinstance(number, MoreThan) for name, number in counts.items()}
    return YearFigures(
        period,
        before,
        _list_divisions() if few["pupils"] else [],
        _count_present() if few["pupils"] else None,
        count_levels(period, before) if few["evaluations"] else None,
        count_pending_fiches() if few["pupils"] and few["pending"] else None,
        count_issues_by_division(began) if few["issued"] else None,
        (counts["issued"], counts["issued before"]),
    )


def _list_divisions() -> Sequence[Division]:
    return db.session.scalars(
        select(Division).options(joinedload(Division.diploma)).order_by(Division.code, Division.id)
    ).all()


def _count_present() -> Mapping[int | None, int]:
    present = select(Student.division_id, func.count(Student.id)).where(Student.is_active)
    return {division_id: count for division_id, count in db.session.execute(present.group_by(Student.division_id))}
