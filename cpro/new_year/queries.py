"""Read what the steps of a new school year are computed from: imports, counts, last journal lines, marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.audit.queries import find_latest
from cpro.core.clock import start_of
from cpro.core.counts import Counted, count_together
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.imports.models import ImportRun
from cpro.imports.queries import find_latest_of, list_applied_in
from cpro.new_year.calendar import first_day
from cpro.new_year.declared import STEPS
from cpro.new_year.models import NewYearReport, StepMark


def find_imports(year: int) -> dict[str, ImportRun]:
    """Return the latest import of a school year for each of the steps done by import."""
    applied = list_applied_in(year)
    found = {step.key: find_latest_of(applied, step.files) for step in STEPS}
    return {key: run for key, run in found.items() if run is not None}


def count_for_steps(year: int, now: datetime) -> Mapping[str, Sequence[int]]:
    """Return the figures of each step as it declares them, counted in one statement."""
    asked = {
        f"{step.key} {rank}": Counted(figure.rows(year, now))
        for step in STEPS
        for rank, figure in enumerate(step.figures)
    }
    counted = count_together(asked)
    return {step.key: [counted[f"{step.key} {rank}"] for rank in range(len(step.figures))] for step in STEPS}


def find_last_lines(year: int) -> dict[str, AuditEntry]:
    """Return, for each step, the last journal line of its actions since the preparation of the year began."""
    lines = find_latest({action for step in STEPS for action in step.actions})
    since = start_of(first_day(year), get_current_establishment().timezone)
    found = {}
    for step in STEPS:
        of_step = [line for action in step.actions if (line := lines.get(action)) is not None and line.at >= since]
        if of_step:
            found[step.key] = max(of_step, key=lambda line: line.id)
    return found


def get_marks(year: int) -> dict[str, StepMark]:
    """Return the marks on the steps of a school year."""
    return {mark.step: mark for mark in db.session.scalars(select(StepMark).where(StepMark.school_year == year))}


def find_report(year: int) -> NewYearReport | None:
    """Return the report of a school year, or None."""
    return db.session.scalars(select(NewYearReport).where(NewYearReport.school_year == year)).one_or_none()


def list_reports() -> Sequence[NewYearReport]:
    """Return the reports of the school, the latest year first."""
    return db.session.scalars(select(NewYearReport).order_by(NewYearReport.school_year.desc())).all()
