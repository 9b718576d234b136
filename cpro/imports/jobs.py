"""Background jobs of imports: analysing large files, applying, undoing, deleting what was never confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cpro.core import tenancy
from cpro.core.errors import DomainError
from cpro.core.formatting import plural
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import Report, job, nightly
from cpro.core.jobs.models import Job
from cpro.core.permissions import Permission, Principal, can
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.queries import get_school_today
from cpro.imports.apply import application, reversal
from cpro.imports.diff.sources import count_pupils
from cpro.imports.models import ANALYSE_JOB, APPLY_JOB, UNDO_JOB, ImportRun, RunState
from cpro.imports.queries import get_run
from cpro.imports.runs import upload_files
from cpro.imports.runs.deposits import conclude, fill, prepare, read_kept
from cpro.imports.runs.lifecycle import close_run, give_up_application, record_about_run, restart_run
from cpro.imports.summaries import describe_outcome

#: How long an analysis waits to be confirmed before its files are deleted.
PENDING_PERIOD = timedelta(days=7)
_EXPIRE_JOB = "imports:expire"
_COMPARING = "Comparaison des élèves des fichiers avec ceux de l’établissement"
#: A folder without a row is left alone for that long: its deposit may be in progress.
_SWEEP_AFTER = timedelta(hours=2)


def _report(done: Job, reader: Principal) -> Report:
    run_id = done.arguments["run_id"]
    if can(reader, Permission.IMPORTS_MANAGE):
        return Report("imports.show", "Voir l’import", {"run_id": run_id})
    return Report("historique_imports.details_view", "Voir l’import", {"id": run_id})


def _describe_analysis(result: Mapping[str, Any]) -> str:
    return f"L’analyse est prête : {describe_outcome(result.get('counts'), is_done=False)}. Rien n’est encore écrit."


def _describe_application(result: Mapping[str, Any]) -> str:
    return f"L’import est appliqué : {describe_outcome(result.get('counts'), is_done=True)}."


def _describe_undoing(result: Mapping[str, Any]) -> str:
    counts = result.get("counts")
    done = describe_outcome(counts, is_done=True)
    voided = " Les codes d’activation qu’il a annulés restent sans effet." if _closed_accounts(counts) else ""
    return f"L’import est annulé : tout est revenu comme avant lui. Il avait fait : {done}.{voided}"


def _closed_accounts(counts: Mapping[str, Any] | None) -> bool:
    return bool(((counts or {}).get("staff") or {}).get("deactivated"))


def _describe_sweep(result: Mapping[str, Any]) -> str:
    expired = plural(result.get("expired", 0), "import resté sans suite", "imports restés sans suite")
    deleted = plural(result.get("deleted", 0), "dossier de fichiers supprimé", "dossiers de fichiers supprimés")
    return f"{expired}, {deleted}."


def _describe_expiry(result: Mapping[str, Any]) -> str:
    closed = plural(result.get("closed", 0), "import abandonné", "imports abandonnés")
    return f"{closed} : personne ne l’avait confirmé, ses fichiers sont supprimés."


@job(ANALYSE_JOB, label="Analyse des fichiers déposés", summary=_describe_analysis, exclusive="imports", report=_report)
def analyse_import(context: JobContext, run_id: int) -> dict[str, Any] | None:
    """Analyse the stored files of an import; if they are refused, it is closed."""
    if get_run(run_id).state is not RunState.DEPOSITED:
        return None
    try:
        sources, today = read_kept(get_run(run_id), now=context.now), get_school_today(context.now)
        total = count_pupils(sources)
        context.progress(0, total, _COMPARING)
        with context.unit_of_work(school_first=False):
            answers = dict(restart_run(get_run(run_id), today=today).answers)
        analysis = prepare(sources, today=today, answers=answers)
        analysis.watch(lambda done: context.progress(min(done, total), total, _COMPARING))
        fill(run_id, analysis, heartbeat=context.heartbeat)
        with context.unit_of_work(school_first=False) as work:
            conclude(run_id, analysis, now=context.now)
            context.finish_within(work.session, {"run_id": run_id, "counts": get_run(run_id).counts})
    except DomainError:
        with context.unit_of_work(school_first=False):
            run = get_run(run_id)
            if run.state is RunState.DEPOSITED:
                close_run(run, RunState.FAILED)
        raise
    return None


@job(APPLY_JOB, label="Application d’un import", summary=_describe_application, exclusive="imports", report=_report)
def apply_import(context: JobContext, run_id: int, confirmations: list[str]) -> dict[str, Any] | None:
    """Apply an import in the transaction that ends the job; one that is refused waits for a new analysis."""
    context.progress(0, 0, "Préparation de l’import, puis écriture en une seule fois")
    try:
        application.apply(
            run_id,
            confirmations=confirmations,
            by=context.actor,
            clock=lambda: context.now,
            heartbeat=context.heartbeat,
            finish=lambda session, counts: context.finish_within(session, {"run_id": run_id, "counts": counts}),
        )
    except DomainError:
        with context.unit_of_work(school_first=False):
            give_up_application(get_run(run_id))
        raise
    return None


@job(UNDO_JOB, label="Annulation d’un import", summary=_describe_undoing, exclusive="imports", report=_report)
def undo_import(context: JobContext, run_id: int) -> dict[str, Any] | None:
    """Undo an import in the transaction that ends the job; one that cannot be undone is unchanged."""
    context.progress(0, 0, "Retour des données à ce qu’elles étaient, en une seule fois")
    reversal.undo(
        run_id=run_id,
        by=context.actor,
        clock=lambda: context.now,
        heartbeat=context.heartbeat,
        finish=context.finish_within,
    )
    return None


@nightly("imports:sweep", label="Suppression des fichiers d’imports devenus inutiles", summary=_describe_sweep)
def sweep(context: JobContext) -> dict[str, int]:
    """Request the expiry of imports that waited too long; delete the files that no import needs."""
    with platform_unit_of_work(context.reason) as work:
        open_runs = work.session.scalars(select(ImportRun).where(ImportRun.open_key.is_not(None))).all()
        expired = [run for run in open_runs if run.created_at < context.now - PENDING_PERIOD]
        for run in expired:
            jobs.enqueue(
                _EXPIRE_JOB,
                {"run_id": run.id},
                by=context.actor,
                now=context.now,
                session=work.session,
                establishment_id=run.establishment_id,
            )
    with tenancy.platform_session(context.reason) as session:
        rows = session.execute(select(ImportRun.establishment_id, ImportRun.kept_in).where(ImportRun.kept_in != ""))
        kept = {(establishment_id, token) for establishment_id, token in rows}
    deleted = upload_files.delete_abandoned(kept, older_than=(context.now - _SWEEP_AFTER).timestamp())
    return {"expired": len(expired), "deleted": deleted}


@job(_EXPIRE_JOB, label="Abandon d’un import resté sans suite", summary=_describe_expiry, exclusive="imports")
def expire(context: JobContext, run_id: int) -> dict[str, Any] | None:
    """Close an import that was never confirmed, with its files."""
    with context.unit_of_work(school_first=False) as work:
        run, closed = get_run(run_id), 0
        if run.open_key is not None and run.state in (RunState.ANALYSED, RunState.DEPOSITED):
            close_run(run, RunState.EXPIRED)
            closed = 1
            record_about_run(
                "expired", run, {"state": (None, RunState.EXPIRED.label)}, by=context.actor, now=context.now
            )
        context.finish_within(work.session, {"closed": closed})
    return None
