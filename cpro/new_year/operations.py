"""Mark a step as reviewed or set aside, and declare a school year prepared."""

from __future__ import annotations

from datetime import datetime

from cpro.audit.operations import About, record
from cpro.core.formatting import format_school_year, join_french, lower_first
from cpro.core.permissions import Actor, Permission
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.new_year import queries
from cpro.new_year.declared import PUPILS, StepDeclaration
from cpro.new_year.errors import JudgedByFigures, NotYours, StepsRemain
from cpro.new_year.models import Mark, NewYearReport, StepMark
from cpro.new_year.steps import Step, is_marked_by_hand, list_steps

_LABEL_LENGTH = 200


def mark_step(year: int, step: StepDeclaration, mark: Mark | None, *, by: Actor, now: datetime) -> None:
    """Store the actor's mark on a step of a school year, None to remove it.

    Raises `NotYours` when the step is not the actor's to do, `JudgedByFigures` when only its figures say whether it is
    done.
    """
    if not by.can(step.right):
        raise NotYours("Cette étape n’est pas la vôtre\u202f: seule la personne qui la fait la pointe.")
    if mark is Mark.CHECKED and not is_marked_by_hand(step, is_imported=PUPILS in queries.find_imports(year)):
        raise JudgedByFigures
    school = lock_current_establishment()
    kept = queries.get_marks(year).get(step.key)
    if (kept and kept.mark) is mark:
        return
    if mark is None:
        db.session.delete(kept)
    elif kept is None:
        db.session.add(
            StepMark(
                establishment_id=school.id,
                school_year=year,
                step=step.key,
                mark=mark,
                marked_at=now,
                marked_by=by.label[:_LABEL_LENGTH],
            )
        )
    else:
        kept.mark, kept.marked_at, kept.marked_by = mark, now, by.label[:_LABEL_LENGTH]
    db.session.flush()
    words = (kept.mark.label if kept and mark is None else "", mark.label if mark else "")
    action = "new-year:step:marked" if mark else "new-year:step:unmarked"
    record(action, _about(year, step), by=by, now=now, changes={"mark": words})


def check_finished(steps: list[Step]) -> None:
    """Raise `StepsRemain` while steps are neither done nor set aside."""
    remaining = [f"«\u202f{step.title}\u202f»" for step in steps if not step.state.is_over]
    if remaining:
        raise StepsRemain(
            f"La rentrée n’est pas terminée\u202f: restent {join_french(remaining)}. "
            "Faites ces étapes, ou laissez de côté celles qui ne vous concernent pas."
        )


def finish(year: int, *, by: Actor, now: datetime) -> NewYearReport:
    """Store the state of the steps as the report of a school year, replacing an earlier one.

    Raises `NotYours`, `StepsRemain`.
    """
    if not by.can(Permission.NEW_YEAR):
        raise NotYours("La rentrée se termine par l’administrateur ou le chef d’établissement.")
    school = lock_current_establishment()
    steps = list_steps(year, now=now)
    check_finished(steps)
    report = queries.find_report(year)
    if report is None:
        report = NewYearReport(establishment_id=school.id, school_year=year)
        db.session.add(report)
    report.finished_at, report.finished_by = now, by.label[:_LABEL_LENGTH]
    report.lines = [
        {
            "step": step.key,
            "state": step.state.label,
            "figures": list(step.figures),
            "at": step.at.isoformat() if step.at else "",
            "by": step.by,
        }
        for step in steps
    ]
    db.session.flush()
    record("new-year:finished", _about(year), by=by, now=now, changes={"steps": ("", str(len(steps)))})
    return report


def _about(year: int, step: StepDeclaration | None = None) -> About:
    label = f"Rentrée {format_school_year(year)}"
    return About("new-year", year, f"{label}, {lower_first(step.title)}" if step else label)
