"""The page of progress: what is being done, how far it is, where the report is."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.jobs.queries import get_job
from cpro.core.permissions import Permission, requires
from cpro.core.web.job_presenter import progress_of
from cpro.core.web.pages import render_page

bp = Blueprint("jobs", __name__)


@bp.get("/admin/travaux/<int:job_id>")
@requires(Permission.JOBS_VIEW)
def show(job_id: int) -> ResponseReturnValue:
    """Show how far a job is; the page may be reloaded, left, come back to."""
    work = progress_of(get_job(job_id), clock.utcnow())
    return render_page("jobs/show.html", work=work, here=url_for("jobs.show", job_id=job_id))
