"""The passports of a division: request, progress, download."""

from __future__ import annotations

from flask import Blueprint, send_file, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.file_names import safe_file_name
from cpro.core.formatting import format_instant, plural
from cpro.core.jobs.files import KEPT, is_kept
from cpro.core.jobs.models import Job
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.job_presenter import progress_of
from cpro.core.web.jobs import progress_url, show_progress
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.models import Module
from cpro.establishments.queries import get_current_establishment
from cpro.establishments.web.gate_links import list_passport_obstacles
from cpro.establishments.web.modules import close_with
from cpro.passport import operations, queries
from cpro.passport.archives import ARCHIVES
from cpro.passport.errors import NoStudentToIssue
from cpro.students.queries import get_division

bp = Blueprint("passports", __name__, url_prefix="/passeports")
close_with(Module.PASSPORT, bp)


@bp.get("")
@requires(Permission.DIVISION_PASSPORTS, code_again=False)
def index() -> ResponseReturnValue:
    """List the divisions whose passports the user may export, and the archives they requested recently."""
    return _page()


@bp.post("/divisions/<int:division_id>")
@requires(Permission.DIVISION_PASSPORTS)
def create(division_id: int) -> ResponseReturnValue:
    """Request the passports of a division, then redirect to the progress of the job."""
    try:
        with unit_of_work():
            job = operations.request_division(get_division(division_id), by=current_actor(), now=clock.utcnow())
            job_id = job.id
    except NoStudentToIssue as refusal:
        return _page(refusal)
    return back_to(progress_url(job_id, "passports.progress"))


@bp.get("/travaux/<int:job_id>")
@requires(Permission.DIVISION_PASSPORTS, code_again=False)
def progress(job_id: int) -> ResponseReturnValue:
    """Show the progress of the passports that the user requested."""
    work = progress_of(_own_job(job_id))
    return show_progress(work, "passports.progress", job_id)


@bp.get("/archives/<int:job_id>")
@requires(Permission.DIVISION_PASSPORTS, sends_file=True)
def archive(job_id: int) -> ResponseReturnValue:
    """Send the ZIP to the person who requested it, while it is kept."""
    job = _own_job(job_id)
    path = ARCHIVES.find(job, now=clock.utcnow())
    name = safe_file_name("passeports", queries.get_division_code(job), suffix="zip")
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=name, etag=False)


def _own_job(job_id: int) -> Job:
    return ARCHIVES.get_own(job_id, by=current_actor())


def _page(refusal: DomainError | None = None) -> ResponseReturnValue:
    actor, now, timezone = current_actor(), clock.utcnow(), get_current_establishment().timezone
    return render_page(
        "passport/divisions.html",
        divisions=queries.count_present_by_division(operations.list_exportable_divisions(actor)),
        reasons=list_passport_obstacles(),
        refusal=refusal.message if refusal else "",
        archives=[
            {
                "division": queries.get_division_code(job),
                "count": plural((job.result or {}).get("passports", 0), "passeport", "passeports"),
                "until": format_instant(job.finished_at + KEPT, timezone),
                "number": job.id,
                "url": url_for("passports.archive", job_id=job.id),
            }
            for job in ARCHIVES.list_own(by=actor)
            if job.finished_at and is_kept(job, now=now)
        ],
        status=refusal.status if refusal else 200,
    )
