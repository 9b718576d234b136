"""Proposed deactivations, ticked by people: their selection, their figures, and how ticks survive a new analysis.

A new analysis deletes the changes that the last one proposed and proposes its own, so ticks are stored by the person
they are about, beside the answers to doubtful lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from cpro.core.among import is_among
from cpro.core.parsing import read_id
from cpro.extensions import db
from cpro.imports.diff.confirmations import list_confirmations
from cpro.imports.models import ChangeAction, ImportChange, ImportRun, RunKind, RunState

#: Families of the figures, and the type of object they count.
FAMILIES = (("students", "student"), ("staff", "account"))
#: Prefix of the keys of stored ticks, "tick:account:12"; no question's key has it.
_TICK = "tick:"
_SOME = 500


def is_proposal(run: ImportRun) -> ColumnElement[bool]:
    """Return the condition of the deactivations to be ticked: of staff, and of pupils missing from a table."""
    types = ["account"] if run.kind is RunKind.SIECLE else ["account", "student"]
    return and_(
        ImportChange.run_id == run.id,
        ImportChange.object_type.in_(types),
        ImportChange.action == ChangeAction.DEACTIVATE,
    )


def set_selected(condition: ColumnElement[bool], is_selected: bool) -> None:
    """Tick or untick the changes matching a condition."""
    db.session.execute(
        update(ImportChange).where(condition).values(is_selected=is_selected),
        execution_options={"synchronize_session": False},
    )


def remember_ticks(run: ImportRun) -> None:
    """Store what is ticked and what is not, before the findings are deleted.

    An analysis that did not complete has nothing to store: the ticks of the last complete one remain valid.
    """
    if run.state not in (RunState.ANALYSED, RunState.APPLYING):
        return
    rows = db.session.execute(
        select(ImportChange.object_type, ImportChange.object_id, ImportChange.is_selected).where(is_proposal(run))
    )
    ticks = {
        f"{_TICK}{object_type}:{object_id}": 1 if is_selected else 0 for object_type, object_id, is_selected in rows
    }
    run.answers = {key: value for key, value in run.answers.items() if not key.startswith(_TICK)} | ticks


def tick_again(run: ImportRun, *, today: date) -> None:
    """Restore the ticks after a new analysis, and update the figures."""
    remembered: dict[tuple[str, int], list[int]] = defaultdict(list)
    for key, value in run.answers.items():
        if key.startswith(_TICK):
            object_type, _, object_id = key.removeprefix(_TICK).partition(":")
            remembered[object_type, value].append(read_id(object_id) or 0)
    if not remembered:
        return
    for (object_type, value), ids in remembered.items():
        _set_selected_objects(run, object_type, ids, bool(value))
    count_again(run, today=today)


def count_again(run: ImportRun, *, today: date) -> None:
    """Count the selected deactivations and those still unticked; update the required confirmations."""
    rows = db.session.execute(
        select(ImportChange.object_type, ImportChange.is_selected, func.count(ImportChange.id))
        .where(
            ImportChange.run_id == run.id,
            or_(*(ImportChange.object_type == object_type for _family, object_type in FAMILIES)),
            ImportChange.action == ChangeAction.DEACTIVATE,
        )
        .group_by(ImportChange.object_type, ImportChange.is_selected)
    )
    numbers = {(object_type, is_selected): number for object_type, is_selected, number in rows}
    counts = {**run.counts, "unticked": dict(run.counts["unticked"])}
    for family, object_type in FAMILIES:
        counts[family] = {**counts[family], "deactivated": numbers.get((object_type, True), 0)}
        counts["unticked"][family] = numbers.get((object_type, False), 0)
    run.counts = counts
    run.confirmations_needed = list_confirmations(counts, school_year=run.school_year, today=today)
    db.session.flush()


def _set_selected_objects(run: ImportRun, object_type: str, ids: Sequence[int], is_selected: bool) -> None:
    for start in range(0, len(ids), _SOME):
        some = ids[start : start + _SOME]
        concerned = and_(
            is_proposal(run), ImportChange.object_type == object_type, is_among(ImportChange.object_id, some)
        )
        set_selected(concerned, is_selected)
