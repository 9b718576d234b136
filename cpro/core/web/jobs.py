"""The progress page of a job: the current step, how far it is, where the report is."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from cpro.core.jobs.queries import get_job
from cpro.core.permissions import Permission, requires
from cpro.core.web.job_presenter import Progress, progress_of
from cpro.core.web.pages import find_source_page, find_way_back, render_page

bp = Blueprint("jobs", __name__)


@bp.get("/admin/travaux/<int:job_id>")
@requires(Permission.JOBS_VIEW)
def show(job_id: int) -> ResponseReturnValue:
    """Show how far a job is; the page may be reloaded, left and reopened."""
    work = progress_of(get_job(job_id))
    return show_progress(work, "jobs.show", job_id)


def progress_url(job_id: int, endpoint: str = "jobs.show", *, back: str | None = None) -> str:
    """Return the URL of a job's page, with the page to return to once it is finished.

    `back` is by default the page from which this request came.
    """
    return url_for(endpoint, job_id=job_id, retour=back or find_source_page())


def show_progress(work: Progress, endpoint: str, job_id: int) -> ResponseReturnValue:
    """Render the page of a job."""
    way_back = find_way_back()
    here = url_for(endpoint, job_id=job_id, retour=way_back)
    return render_page("jobs/show.html", work=work, here=here, way_back=way_back)
