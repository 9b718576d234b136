"""The life of an import before its application: deposited, analysed, sent to be applied, replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import record
from cpro.core import tenancy
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.imports.analysis.proposals import Note, Proposal, Yielded
from cpro.imports.models import APPLY_JOB, ImportChange, ImportFinding, ImportRun, RunState
from cpro.imports.queries import find_open_run, fingerprint_of_data
from cpro.imports.refusals import ConfirmationMissing, ImportUnderWay, NotToApply


def open_run(
    *,
    files: Sequence[Mapping[str, str]],
    school_year: int,
    opens_student_accounts: bool,
    today: date,
    by: Actor,
    now: datetime,
) -> ImportRun:
    """Open an import, which replaces the one whose analysis was pending, and note what data it will be compared with.

    `today` is the school's day. Raises `ImportUnderWay`.
    """
    lock_current_establishment()
    pending = find_open_run()
    if pending is not None:
        if pending.state is RunState.APPLYING and not _has_stopped(pending):
            raise ImportUnderWay
        close_run(pending, RunState.REPLACED)
    run = ImportRun(
        state_value=RunState.DEPOSITED.value,
        open_key=tenancy.scope_of(db.session()).establishment_id,
        files=[dict(file) for file in files],
        school_year=school_year,
        opens_student_accounts=opens_student_accounts,
        requested_by=asdict(by),
        created_at=now,
    )
    db.session.add(run)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise ImportUnderWay from error
    record_about_run(
        "import:siecle:deposited", run, {"files": (None, [file["name"] for file in run.files])}, by=by, now=now
    )
    run.fingerprint = fingerprint_of_data(today)
    db.session.flush()
    return run


def add_findings(run_id: int, found: Sequence[Yielded]) -> None:
    """Keep a part of an analysis."""
    session = db.session()
    tenancy.bulk_insert(
        session,
        ImportChange,
        (
            {
                "run_id": run_id,
                "object_type": each.object_type,
                "object_id": each.object_id,
                "object_key": each.object_key,
                "object_label": each.object_label,
                "action_value": each.action.value,
                "is_selected": each.is_selected,
                "changes": each.changes,
            }
            for each in found
            if isinstance(each, Proposal)
        ),
    )
    tenancy.bulk_insert(
        session,
        ImportFinding,
        (
            {
                "run_id": run_id,
                "severity": each.code.severity.name,
                "code": each.code.name,
                "file_kind": each.file_kind,
                "line": each.line,
                "sentence": each.sentence[:400],
            }
            for each in found
            if isinstance(each, Note)
        ),
    )


def conclude_analysis(
    run: ImportRun, *, counts: Mapping[str, Any], confirmations_needed: Sequence[Mapping[str, str]], now: datetime
) -> None:
    """Let an import be confirmed. Raises `NotToApply` when another deposit replaced it meanwhile."""
    if run.state is not RunState.DEPOSITED:
        raise NotToApply
    run.state_value, run.analysed_at = RunState.ANALYSED.value, now
    run.counts, run.confirmations_needed = dict(counts), [dict(each) for each in confirmations_needed]
    db.session.flush()


def send_to_application(run: ImportRun, *, confirmations: Sequence[str], by: Actor, now: datetime) -> Job:
    """Ask for an analysed import to be applied by a worker.

    Raises `NotToApply`, `ConfirmationMissing`.
    """
    lock_current_establishment()
    db.session.refresh(run)
    if run.state is not RunState.ANALYSED:
        raise NotToApply
    check_confirmations(run, confirmations)
    job = jobs.enqueue(APPLY_JOB, {"run_id": run.id, "confirmations": list(confirmations)}, by=by, now=now)
    run.state_value, run.job_id = RunState.APPLYING.value, job.id
    run.confirmations_given = list(confirmations)
    db.session.flush()
    return job


def check_confirmations(run: ImportRun, given: Sequence[str]) -> None:
    """Raise `ConfirmationMissing` with the sentences of what is needed and was not given."""
    missing = [each["sentence"] for each in run.confirmations_needed if each["key"] not in given]
    if missing:
        raise ConfirmationMissing(" ".join(missing))


def close_run(run: ImportRun, state: RunState) -> None:
    """End an import that was under way."""
    run.state_value, run.open_key = state.value, None
    db.session.flush()


def _has_stopped(run: ImportRun) -> bool:
    """Tell whether the job of an import will not apply it any more."""
    job = db.session.get(Job, run.job_id) if run.job_id else None
    return job is None or job.state.is_settled


def record_about_run(
    action: str, run: ImportRun, changes: Mapping[str, tuple[Any, Any]], *, by: Actor, now: datetime
) -> None:
    """Write the line of a gesture on an import in the journal."""
    record(
        action,
        by=by,
        now=now,
        object_type="import_run",
        object_id=run.id,
        object_label=f"Import SIECLE n° {run.id}",
        changes=changes,
    )
