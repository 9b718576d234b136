"""Jobs of the generated screens: prepare the workbook of a long list, delete expired workbooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cpro.core.errors import NotFound
from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.files import is_asked_by
from cpro.core.jobs.handlers import Report, job, nightly
from cpro.core.jobs.models import Job
from cpro.core.permissions import Principal
from cpro.core.web.current_user import read_for
from cpro.core.web.screens import workbooks
from cpro.extensions import application

if TYPE_CHECKING:
    from cpro.core.web.screens.exported import ExportedScreen


def _report(done: Job, reader: Principal) -> Report | None:
    """Return the link to the workbook, only for the person who requested it."""
    if not is_asked_by(done, reader):
        return None
    count = plural((done.result or {}).get("rows", 0), "ligne", "lignes")
    return Report(f"{done.arguments['endpoint']}.workbook", f"Télécharger {count} (XLSX)", {"job_id": done.id})


def _describe_result(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('rows', 0), 'ligne prête', 'lignes prêtes')}."


def _describe_sweep(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('deleted', 0), 'classeur supprimé', 'classeurs supprimés')}."


@job(
    workbooks.FILES.kind,
    label="Classeur XLSX d’une liste",
    summary=_describe_result,
    report=_report,
    exclusive="workbooks",
)
def prepare(context: JobContext, endpoint: str, asked: dict[str, str]) -> None:
    """Write the rows of a list into a workbook, with the permissions of the person who requested it.

    A job killed half-way starts again, and its first file is deleted by the sweep.
    """
    assert context.establishment_id is not None
    read_for(context.actor, context.establishment_id)
    screen = _find_screen(endpoint)
    with workbooks.FILES.storage.draft(context.establishment_id, ".xlsx") as draft:
        rows = screen.write_workbook(
            draft.stream, asked, progress=lambda done, total: context.progress(done, total, screen.title)
        )
    with context.unit_of_work() as work:
        context.finish_within(work.session, {workbooks.FILES.key: draft.name, "rows": rows})


@nightly("workbooks:sweep", label="Suppression des classeurs XLSX que l’on ne garde plus", summary=_describe_sweep)
def sweep(context: JobContext) -> dict[str, int]:
    """Delete expired workbooks with their jobs, and the files left by killed jobs."""
    with context.unit_of_work() as work:
        return {"deleted": len(workbooks.FILES.forget_expired(work.session, now=context.now))}


def _find_screen(endpoint: str) -> ExportedScreen:
    """Return the screen of an endpoint. Raises `NotFound` if this version of the program has none."""
    screen: ExportedScreen | None = getattr(
        application.flask.view_functions.get(f"{endpoint}.workbook"), "__self__", None
    )
    if screen is None:
        raise NotFound("Cette liste n’existe plus.")
    return screen
