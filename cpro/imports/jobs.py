"""The job that applies an import."""

from __future__ import annotations

from typing import Any

from cpro.core.errors import DomainError
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import job
from cpro.imports.analysing import school_day
from cpro.imports.models import APPLY_JOB, RunState
from cpro.imports.operations.application import apply_run
from cpro.imports.queries import get_run


@job(APPLY_JOB, label="Application d’un import", exclusive="imports")
def apply_import(context: JobContext, run_id: int, confirmations: list[str]) -> dict[str, Any] | None:
    """Apply an import in the transaction that ends the job; one that is refused waits for a new analysis."""
    try:
        with context.unit_of_work() as work:
            now = context.now
            counts = apply_run(
                get_run(run_id), confirmations=confirmations, today=school_day(now), by=context.actor, now=now
            )
            context.finish_within(work.session, {"run_id": run_id, "counts": counts})
    except DomainError:
        with context.unit_of_work():
            run = get_run(run_id)
            if run.state is RunState.APPLYING:
                run.state_value = RunState.ANALYSED.value
        raise
    return None
