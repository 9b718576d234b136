"""Jobs: render the passports of a division, delete the archives that are no longer kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core import tenancy
from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.files import is_asked_by
from cpro.core.jobs.handlers import Report, job, nightly
from cpro.core.jobs.models import Job
from cpro.core.mail import public_link
from cpro.core.permissions import Principal
from cpro.core.storage import FileStorage
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import application
from cpro.passport import queries
from cpro.passport.archives import ARCHIVES, write_archive
from cpro.passport.letterhead import get_letterhead
from cpro.passport.operations import check_can_export, issue_division
from cpro.students.queries import get_division


def _report(done: Job, reader: Principal) -> Report | None:
    """Return the link to the archive, for the person who requested it only."""
    if not is_asked_by(done, reader):
        return None
    count = (done.result or {}).get("passports", 0)
    label = f"Télécharger {plural(count, 'passeport', 'passeports')} (ZIP)"
    return Report("passports.archive", label, {"job_id": done.id})


def _describe_result(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('passports', 0), 'passeport prêt', 'passeports prêts')}."


def _describe_sweep(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('deleted', 0), 'archive supprimée', 'archives supprimées')}."


@job(ARCHIVES.kind, label="Passeports d’une division", summary=_describe_result, report=_report)
def render_division(context: JobContext, division_id: int, division: str) -> dict[str, Any] | None:
    """Render the passports of the pupils present in a division into one ZIP.

    Nothing is issued until all are rendered: a job killed before that restarts, and its first file is swept.
    """
    school = get_current_establishment()
    check_can_export(school)
    pictures = FileStorage(application.uploads)
    letterhead = get_letterhead(school, storage=pictures, check_url=public_link("/verifier"))
    ids, school_id = queries.list_pupils_present(division_id), school.id
    with ARCHIVES.storage.draft(school_id, ".zip") as draft:
        passports = write_archive(
            draft.stream,
            ids,
            letterhead,
            now=context.now,
            progress=lambda done: context.progress(done, len(ids), f"Passeports de la division {division}"),
        )
    with context.unit_of_work() as work:
        issue_division(passports, get_division(division_id), by=context.actor, now=context.now)
        context.finish_within(work.session, {"archive": draft.name, "passports": len(passports)})
    return None


@nightly(
    "passport:sweep", label="Suppression des passeports de division que l’on ne garde plus", summary=_describe_sweep
)
def sweep(context: JobContext) -> dict[str, int]:
    """Delete expired archives, and files left by killed jobs."""
    with tenancy.platform_session(context.reason) as session:
        return {"deleted": len(ARCHIVES.delete_expired(session, now=context.now))}
