"""The states of an import and their transitions, up to its application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import About, record
from cpro.core import tenancy
from cpro.core.concurrency import fingerprint
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.models import Job, JobState
from cpro.core.permissions import Actor
from cpro.core.transactions import after_commit
from cpro.extensions import db
from cpro.imports.diff.sources import Sources, require_kind
from cpro.imports.errors import AnalysisSeenChanged, ConfirmationMissing, ImportUnderWay, NotToApply, UndoUnderWay
from cpro.imports.models import (
    ANALYSE_JOB,
    APPLY_JOB,
    UNDO_JOB,
    ImportChange,
    ImportFinding,
    ImportQuestion,
    ImportRun,
    RunState,
)
from cpro.imports.queries import find_last_applied, find_open_run, fingerprint_of_data, recall_answers
from cpro.imports.runs import upload_files
from cpro.imports.runs.admission import lock_imports_and_school, lock_run, require_may_import
from cpro.imports.runs.ticks import remember_ticks


def open_run(
    sources: Sources,
    *,
    opens_student_accounts: bool,
    today: date,
    by: Actor,
    now: datetime,
    kept_in: str = "",
) -> ImportRun:
    """Open an import, replacing the one whose analysis was pending, and record the data it will be compared with.

    `today` is the school's day, `kept_in` the folder of its files. Raises `ImportUnderWay`, and as
    `require_may_import` and `require_kind` do.
    """
    school = lock_imports_and_school()
    require_may_import(school, by=by)
    require_kind(sources.kind, uses_siecle=school.uses_siecle)
    pending = find_open_run()
    if pending is not None:
        if pending.state is RunState.APPLYING and not has_stopped(pending):
            raise ImportUnderWay
        close_run(pending, RunState.REPLACED)
    run = ImportRun(
        kind=sources.kind,
        state=RunState.DEPOSITED,
        open_key=tenancy.scope_of(db.session()).establishment_id,
        files=sources.described,
        kept_in=kept_in,
        school_year=sources.school_year,
        opens_student_accounts=opens_student_accounts,
        requested_by=asdict(by),
        answers=recall_answers(),
        created_at=now,
    )
    db.session.add(run)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise ImportUnderWay from error
    record_about_run("deposited", run, {"files": (None, [file["name"] for file in run.used_files])}, by=by, now=now)
    run.fingerprint = fingerprint_of_data(today)
    db.session.flush()
    return run


def restart_run(run: ImportRun, *, today: date) -> ImportRun:
    """Delete the findings of an analysis, and record what data the next one compares with. Raises `NotToApply`."""
    lock_run(run)
    if not may_restart(run):
        raise NotToApply
    remember_ticks(run)
    forget_findings(run)
    run.state, run.analysed_at = RunState.DEPOSITED, None
    run.counts, run.confirmations_needed, run.confirmations_given, run.settled = {}, [], [], None
    run.fingerprint = fingerprint_of_data(today)
    db.session.flush()
    return run


def forget_findings(run: ImportRun) -> None:
    """Delete the findings of an analysis."""
    for model in (ImportChange, ImportFinding, ImportQuestion):
        db.session.execute(
            delete(model).where(model.run_id == run.id), execution_options={"synchronize_session": False}
        )


def conclude_analysis(
    run: ImportRun,
    *,
    counts: Mapping[str, Any],
    confirmations_needed: Sequence[Mapping[str, str]],
    settled: dict[str, Any] | None,
    now: datetime,
) -> None:
    """Make an import ready to be confirmed. Raises `NotToApply` when another deposit replaced it meanwhile."""
    if run.state is not RunState.DEPOSITED:
        raise NotToApply
    run.state, run.analysed_at = RunState.ANALYSED, now
    run.counts, run.confirmations_needed = dict(counts), [dict(each) for each in confirmations_needed]
    run.settled = settled
    db.session.flush()


def send_to_analysis(run: ImportRun, *, by: Actor, now: datetime) -> Job:
    """Enqueue the analysis of an import's files. Raises `NotToApply`."""
    lock_run(run)
    if not may_restart(run):
        raise NotToApply
    remember_ticks(run)
    run.state = RunState.DEPOSITED
    job = jobs.enqueue(ANALYSE_JOB, {"run_id": run.id}, by=by, now=now)
    run.job_id = job.id
    db.session.flush()
    return job


def check_abandonment(run: ImportRun) -> None:
    """Raise as `abandon_run` does if an import cannot be abandoned."""
    if run.open_key is None:
        raise NotToApply
    if run.state is RunState.APPLYING and not has_stopped(run):
        raise ImportUnderWay


def abandon_run(run: ImportRun, *, by: Actor, now: datetime) -> None:
    """Abandon an import that is not applied, with its files. Raises `ImportUnderWay`, `NotToApply`."""
    lock_run(run)
    check_abandonment(run)
    close_run(run, RunState.ABANDONED)
    record_about_run("abandoned", run, {"state": (None, RunState.ABANDONED.label)}, by=by, now=now)


def send_to_application(
    run: ImportRun, *, confirmations: Sequence[str], by: Actor, now: datetime, seen: str | None = None
) -> Job:
    """Enqueue the application of an analysed import; `seen` is the version (`get_version`) that the user saw.

    Raises `NotToApply`, `GateClosed`, `UndoUnderWay`, `AnalysisSeenChanged`, `ConfirmationMissing`.
    """
    school = lock_run(run)
    if run.state is not RunState.ANALYSED:
        raise NotToApply
    require_may_import(school, by=by)
    if is_being_undone(find_last_applied()):
        raise UndoUnderWay
    if seen is not None and seen != get_version(run):
        raise AnalysisSeenChanged
    check_confirmations(run, confirmations)
    job = jobs.enqueue(APPLY_JOB, {"run_id": run.id, "confirmations": list(confirmations)}, by=by, now=now)
    run.state, run.job_id = RunState.APPLYING, job.id
    run.confirmations_given = list(confirmations)
    db.session.flush()
    return job


def begin_application(run: ImportRun) -> None:
    """Mark an import as being applied, without a job. Raises `NotToApply`, `ImportUnderWay`."""
    lock_run(run)
    if run.state is not RunState.ANALYSED:
        raise NotToApply
    run.state, run.job_id = RunState.APPLYING, None
    db.session.flush()


def give_up_application(run: ImportRun) -> None:
    """Make an import that was not applied after all available for a new analysis."""
    if run.state is RunState.APPLYING:
        run.state = RunState.ANALYSED
        db.session.flush()


def check_confirmations(run: ImportRun, given: Sequence[str]) -> None:
    """Raise `ConfirmationMissing` with the sentences of the confirmations that are required and missing."""
    missing = [each["sentence"] for each in run.confirmations_needed if each["key"] not in given]
    if missing:
        raise ConfirmationMissing(" ".join(missing), field="confirmations")


def get_version(run: ImportRun) -> str:
    """Return a version that changes with the figures of an analysis and the choices made on them."""
    return fingerprint({"at": run.analysed_at, "counts": run.counts, "needed": run.confirmations_needed})


def close_run(run: ImportRun, state: RunState) -> None:
    """End an import that was in progress: delete its files, and its findings too unless it was applied."""
    run.state, run.open_key = state, None
    if state is not RunState.APPLIED:
        forget_findings(run)
    if run.kept_in:
        after_commit(db.session(), partial(upload_files.delete_folder, run.establishment_id, run.kept_in))
        run.kept_in = ""
    db.session.flush()


def may_restart(run: ImportRun) -> bool:
    """Return whether the files of an import may be analysed again: it is not over, and no job is running."""
    return run.open_key is not None and (run.state is not RunState.APPLYING or has_stopped(run))


def has_stopped(run: ImportRun) -> bool:
    """Return whether the job of an import has stopped for good."""
    job = find_job(run)
    return job is None or job.state.is_finished


def find_job(run: ImportRun) -> Job | None:
    """Return the last job of an import, or None."""
    return db.session.get(Job, run.job_id) if run.job_id else None


def is_being_undone(run: ImportRun | None) -> bool:
    """Return whether a worker is undoing an import, or is going to."""
    job = find_job(run) if run else None
    return job is not None and job.kind == UNDO_JOB and not job.state.is_finished


def describe_failure(run: ImportRun) -> str:
    """Return why the last action on an import failed, as a sentence; "" if it did not, or if the reason is unknown."""
    job = find_job(run)
    if job is None or job.state is not JobState.FAILED:
        return ""
    tried = {RunState.ANALYSED: APPLY_JOB, RunState.APPLIED: UNDO_JOB}.get(run.state, job.kind)
    is_past = run.state is RunState.ANALYSED and run.analysed_at is not None and job.created_at < run.analysed_at
    return job.error if job.kind == tried and not is_past else ""


def record_about_run(
    action: str, run: ImportRun, changes: Mapping[str, tuple[Any, Any]], *, by: Actor, now: datetime
) -> None:
    """Record an action on an import in the journal, with the kind of the import."""
    record(f"import:{run.kind.value}:{action}", About("import_run", run.id, run.label), by=by, now=now, changes=changes)
