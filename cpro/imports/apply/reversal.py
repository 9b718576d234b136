"""Undo the last import, entirely or not at all: it is refused once its data was worked on.

Staged outside and written in one short transaction, as an application is; `undo` opens its own unit of work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cpro.core import events
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor
from cpro.core.staging import Staging, staging
from cpro.core.transactions import unit_of_work
from cpro.establishments.queries import get_school_today, lock_current_establishment
from cpro.extensions import db
from cpro.imports.apply import accounts, pupils, staff, structure
from cpro.imports.apply.application import Clock, Finish
from cpro.imports.errors import UndoImpossible, UndoUnderWay, WorkedOn
from cpro.imports.models import UNDO_JOB, ImportChange, ImportRun, RunState
from cpro.imports.queries import UNDO_PERIOD, find_last_applied, find_open_run, fingerprint_of_data, get_run
from cpro.imports.runs.admission import lock_imports, lock_run
from cpro.imports.runs.lifecycle import is_being_undone, record_about_run

#: Maximum number of changes undone before the response: those of a large school. A worker undoes more.
AT_ONCE_CHANGES = 5000


@dataclass
class PreparedUndo:
    """An import ready to be undone: temporary tables hold the rows to delete and the values to restore."""

    run_id: int
    #: `fingerprint_of_data` when it was staged
    fingerprint: str
    corrected: pupils.Corrected
    going_pupils: pupils.Going
    going_accounts: accounts.Going
    going_structure: structure.Going
    #: pupils whose presence or identity the import changed, including those it created
    matched_ids: list[int]


def undo(
    *,
    run_id: int | None = None,
    by: Actor,
    clock: Clock,
    heartbeat: Callable[[], None] = lambda: None,
    finish: Finish = lambda session, result: None,
) -> str:
    """Undo the last import, which must be `run_id` if given, and return its label.

    Raises as `prepare_undo` and `write_undo`; nothing is undone then.
    """
    now = clock()
    today = get_school_today(now)
    with staging(db.session()) as staged:
        prepared = prepare_undo(staged, run_id=run_id, today=today, now=now, heartbeat=heartbeat)
        with unit_of_work(school_first=False) as work:
            run = write_undo(staged, prepared, today=today, by=by, now=clock())
            finish(work.session, {"run_id": run.id, "counts": run.counts})
            return run.label


def prepare_undo(
    staged: Staging, *, run_id: int | None, today: dt.date, now: dt.datetime, heartbeat: Callable[[], None]
) -> PreparedUndo:
    """Check everything that undoing the last import depends on, outside any unit of work; it must be `run_id` if given.

    Raises `UndoImpossible` with the reason: one of those of `check_undoable`, or data that was worked on since.
    """
    compared_with = fingerprint_of_data(today)
    run = check_undoable(get_run(run_id) if run_id is not None else None, now=now)
    pupils.check_still_corrected(run, heartbeat=heartbeat)
    corrected = pupils.stage_corrected(staged, run, heartbeat=heartbeat, is_undone=True)
    going = pupils.stage_going(staged, run, account_ids=accounts.list_created(run), heartbeat=heartbeat)
    prepared = PreparedUndo(
        run.id,
        compared_with,
        corrected,
        going,
        accounts.stage_going(staged, run, heartbeat=heartbeat),
        structure.stage_going(staged, run),
        [*going.ids, *pupils.list_matched(run)],
    )
    staged.keep()
    return prepared


def write_undo(staged: Staging, prepared: PreparedUndo, *, today: dt.date, by: Actor, now: dt.datetime) -> ImportRun:
    """Undo a staged import, inside a unit of work on the same session, and return it.

    Its effects elsewhere are undone first, by the listeners of `import_undone`. Raises as `prepare_undo`, and
    `ImportUnderWay`.
    """
    lock_imports()
    run = _require_last(get_run(prepared.run_id), now=now)
    events.import_undone.send(
        establishment_id=staged.school,
        run_id=run.id,
        student_ids=prepared.matched_ids,
        created_ids=prepared.going_pupils.ids,
        applied_at=run.applied_at,
        by=by,
        now=now,
    )
    try:
        _write(staged, prepared, run)
    except IntegrityError as error:
        raise WorkedOn("un dossier", "a servi depuis") from error
    lock_current_establishment()
    if fingerprint_of_data(today) != prepared.fingerprint:
        raise WorkedOn("des données de l’établissement", "viennent de changer : recommencez")
    run.state, run.undone_at = RunState.UNDONE, now
    record_about_run("undone", run, {"state": ("appliqué", "annulé")}, by=by, now=now)
    return run


def _write(staged: Staging, prepared: PreparedUndo, run: ImportRun) -> None:
    pupils.refuse_records_of_reactivated(run)
    staff.undo_staff(run)
    if not pupils.write_corrected(staged, prepared.corrected):
        raise WorkedOn("un élève", "a été modifié depuis")
    pupils.delete_created(staged, prepared.going_pupils, prepared.going_accounts.table)
    accounts.delete_created(staged, prepared.going_accounts)
    structure.undo_structure(staged, run, prepared.going_structure)


def check_undoable(run: ImportRun | None, *, now: dt.datetime) -> ImportRun:
    """Return the last import applied, or raise `UndoImpossible` with the reason why it cannot be undone; read-only.

    The reasons found by reading: `run` is given and is another one, it is too old, an import is under way, an account
    that it created was activated, a pupil that it created has records. Undoing finds the other ones.
    """
    last = _require_last(run, now=now)
    accounts.refuse_opened(last)
    pupils.refuse_records(last)
    return last


def _require_last(run: ImportRun | None, *, now: dt.datetime) -> ImportRun:
    """Return the last import applied, which must be `run` if given; checks only its own row."""
    last = find_last_applied()
    if run is not None and run.state is RunState.UNDONE:
        raise UndoImpossible("Cet import est déjà annulé.")
    if last is None or last.applied_at is None:
        raise UndoImpossible("Aucun import n’est à annuler.")
    if run is not None and run.id != last.id:
        raise UndoImpossible("Seul le dernier import appliqué peut être annulé, et celui-ci ne l’est pas.")
    if last.applied_at <= now - UNDO_PERIOD:
        raise UndoImpossible("Un import ne s’annule que pendant 7 jours : celui-ci est plus ancien.")
    pending = find_open_run()
    if pending is not None and pending.state is RunState.APPLYING:
        raise UndoImpossible("Un import est en cours dans cet établissement : attendez qu’il soit terminé.")
    return last


def describe_obstacle(run: ImportRun, *, now: dt.datetime) -> str:
    """Return why an import cannot be undone, as far as `check_undoable` can tell, or "" when it can."""
    try:
        check_undoable(run, now=now)
    except UndoImpossible as refusal:
        return refusal.message
    return ""


def request_undo(run: ImportRun, *, by: Actor, now: dt.datetime) -> Job | None:
    """Enqueue the undoing of a large import, and return its job; None for one that is undone before the response.

    Raises `UndoImpossible`, `UndoUnderWay`, `ImportUnderWay`.
    """
    lock_run(run)
    if is_being_undone(run):
        raise UndoUnderWay
    check_undoable(run, now=now)
    if not _is_large(run):
        return None
    job = jobs.enqueue(UNDO_JOB, {"run_id": run.id}, by=by, now=now)
    run.job_id = job.id
    db.session.flush()
    return job


def _is_large(run: ImportRun) -> bool:
    changes = select(ImportChange.id).where(ImportChange.run_id == run.id, ImportChange.is_selected)
    return db.session.scalar(changes.order_by(ImportChange.id).offset(AT_ONCE_CHANGES).limit(1)) is not None
