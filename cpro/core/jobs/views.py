"""The page of progress: what is being done, how far it is, where the report is."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.jobs.handlers import find_handler
from cpro.core.jobs.interruptions import tell_interruption
from cpro.core.jobs.queries import get_job
from cpro.core.permissions import Permission, requires
from cpro.core.web import render_page

bp = Blueprint("jobs", __name__)


@bp.get("/admin/travaux/<int:job_id>")
@requires(Permission.JOBS_VIEW)
def show(job_id: int) -> ResponseReturnValue:
    """Show how far a job is; the page may be reloaded, left, come back to."""
    job = get_job(job_id)
    handler = find_handler(job.kind)
    done = job.state.is_settled
    report = handler.report(job) if done and handler and handler.report else None
    return render_page(
        "jobs/show.html",
        job=job,
        label=handler.label if handler else "Traitement",
        report=report,
        interruption=tell_interruption(job, clock.utcnow()),
    )
