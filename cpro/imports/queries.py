"""Queries of the imports."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.imports.errors import UnknownRun
from cpro.imports.models import ChangeAction, ImportChange, ImportRun, RunKind, RunState
from cpro.imports.parse.siecle.header import ExportKind
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.imports.parse.spreadsheet.notes import COLUMN_KEY
from cpro.students.models import Division, Student

#: Changes read at once.
_PAGE = 2000
#: The kinds of the files that import the pupils, and the staff.
PUPIL_FILES = frozenset({ExportKind.STUDENTS.label, WorksheetKind.STUDENTS.value})
STAFF_FILES = frozenset({ExportKind.STAFF.label, WorksheetKind.STAFF.value})
#: How long the last import can be undone.
UNDO_PERIOD = timedelta(days=7)
#: Objects and actions on which an analysis depends; signing in or generating codes does not affect it.
_OBJECT_TYPES = ("student", "division", "diploma", "mef")
_ACTIONS = (
    *(f"import:{kind.value}:{action}" for kind in RunKind for action in ("applied", "undone")),
    "account:changed",
    "account:consent:granted",
    "account:consent:revoked",
    "account:created",
    "account:disabled",
    "account:enabled",
    "account:linked",
    "account:unlinked",
    "accounts:opened",
)


def count_runs_by_state(session: Session) -> dict[str, int]:
    """Return the number of imports in each state, of all schools, in a platform session."""
    found = session.execute(select(ImportRun.state, func.count()).group_by(ImportRun.state)).all()
    return {state.value: 0 for state in RunState} | {state.value: number for state, number in found}


def fingerprint_of_data(today: date) -> str:
    """Return a fingerprint that changes whenever the data of an analysis does.

    This covers students, divisions, diplomas, staff, the day, and whose files the school accepts. Every action writes a
    journal line, so the last line about these is enough.
    """
    lines = [
        db.session.scalar(select(func.max(AuditEntry.id)).where(AuditEntry.object_type == object_type))
        for object_type in _OBJECT_TYPES
    ]
    lines += [
        db.session.scalar(select(func.max(AuditEntry.id)).where(AuditEntry.action == action)) for action in _ACTIONS
    ]
    school = get_current_establishment()
    basis = f"{today.isoformat()} {school.uai} {school.uses_siecle} {lines}"
    return hashlib.sha256(basis.encode()).hexdigest()


def get_run(run_id: int) -> ImportRun:
    """Return an import of the current school, or raise `UnknownRun`."""
    run = db.session.get(ImportRun, run_id)
    if run is None:
        raise UnknownRun
    return run


def find_open_run() -> ImportRun | None:
    """Return the school's import in progress, or None."""
    return db.session.scalars(select(ImportRun).where(ImportRun.open_key.is_not(None))).one_or_none()


def find_last_applied() -> ImportRun | None:
    """Return the latest import in effect, or None."""
    return db.session.scalars(
        select(ImportRun).where(ImportRun.state == RunState.APPLIED).order_by(ImportRun.id.desc()).limit(1)
    ).first()


def list_applied_in(school_year: int) -> Sequence[ImportRun]:
    """Return the imports of a school year that are in effect, latest first."""
    wanted = select(ImportRun).where(ImportRun.state == RunState.APPLIED, ImportRun.school_year == school_year)
    return db.session.scalars(wanted.order_by(ImportRun.id.desc())).all()


def select_departures_left(school_year: int) -> Select[Any]:
    """Select the present pupils whose departure was proposed, and not ticked, by the latest import of a school year.

    The latest is that of pupils: an import of staff only proposes nothing about them.
    """
    latest = select(func.max(ImportRun.id)).where(
        ImportRun.state == RunState.APPLIED,
        ImportRun.school_year == school_year,
        exists().where(ImportChange.run_id == ImportRun.id, ImportChange.object_type == "student"),
    )
    return (
        select(Student.id)
        .join(ImportChange, and_(ImportChange.object_type == "student", ImportChange.object_id == Student.id))
        .where(
            ImportChange.run_id == latest.scalar_subquery(),
            ImportChange.action == ChangeAction.DEACTIVATE,
            ImportChange.is_selected.is_(False),
            Student.is_active.is_(True),
        )
    )


def find_latest_of(applied: Sequence[ImportRun], files: Collection[str]) -> ImportRun | None:
    """Return the latest of some imports, latest first, that used a file of one of these kinds, or None."""
    return next((run for run in applied if any(file["kind"] in files for file in run.used_files)), None)


def list_latest_runs() -> tuple[ImportRun | None, ImportRun | None, ImportRun | None]:
    """Return the import in progress, and the latest ones in effect of pupils and of staff, in one statement.

    Among the last hundred imports.
    """
    found = db.session.scalars(
        select(ImportRun)
        .where(or_(ImportRun.open_key.is_not(None), ImportRun.state == RunState.APPLIED))
        .order_by(ImportRun.id.desc())
        .limit(100)
    ).all()
    pending = next((run for run in found if run.open_key is not None), None)
    applied = [run for run in found if run.state is RunState.APPLIED]
    return pending, find_latest_of(applied, PUPIL_FILES), find_latest_of(applied, STAFF_FILES)


def select_unconfirmed() -> Select[int]:
    """Select the ids of the imports whose analysis waits for confirmation."""
    return select(ImportRun.id).where(ImportRun.open_key.is_not(None), ImportRun.state == RunState.ANALYSED)


def recall_answers() -> dict[str, int]:
    """Return the answers given up to the last import in effect: the same line in a later file asks nothing."""
    last = find_last_applied()
    answers = last.answers.items() if last else ()
    return {key: answer for key, answer in answers if key.startswith(("student:", "account:", COLUMN_KEY))}


def find_undoable(now: datetime) -> ImportRun | None:
    """Return the import that can still be undone, or None."""
    run = find_last_applied()
    return run if run and run.applied_at and run.applied_at > now - UNDO_PERIOD else None


def list_recent_runs(limit: int) -> Sequence[ImportRun]:
    """Return the latest imports of the school, latest first."""
    return db.session.scalars(select(ImportRun).order_by(ImportRun.id.desc()).limit(limit)).all()


def is_outdated(run: ImportRun, today: date) -> bool:
    """Return whether the data changed since the analysis of a pending import."""
    return run.state is RunState.ANALYSED and run.fingerprint != fingerprint_of_data(today)


def list_selected(run_id: int, object_type: str, *actions: ChangeAction) -> Iterator[Sequence[Row[Any]]]:
    """Yield the selected changes of an import (id, object_id, changes), one page at a time, action by action."""
    for action in actions:
        yield from _pages(run_id, object_type, action, ImportChange.object_id, ImportChange.changes)


def list_selected_ids(run_id: int, object_type: str, action: ChangeAction) -> Iterator[list[int]]:
    """Yield the object ids of the selected changes of one action, a page at a time, without the changes themselves."""
    for page in _pages(run_id, object_type, action, ImportChange.object_id):
        yield [change.object_id for change in page if change.object_id is not None]


def _pages(run_id: int, object_type: str, action: ChangeAction, *columns: Any) -> Iterator[Sequence[Row[Any]]]:
    after = 0
    while page := db.session.execute(
        select(ImportChange.id, *columns)
        .where(
            ImportChange.run_id == run_id,
            ImportChange.object_type == object_type,
            ImportChange.action == action,
            ImportChange.is_selected,
            ImportChange.id > after,
        )
        .order_by(ImportChange.id)
        .limit(_PAGE)
    ).all():
        after = page[-1].id
        yield page


def list_division_ids() -> dict[str, int]:
    """Return the school's divisions, {code: id}."""
    return {code: id_ for code, id_ in db.session.execute(select(Division.code, Division.id))}
