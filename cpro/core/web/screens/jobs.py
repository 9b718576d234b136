"""Jobs of the generated screens: prepare the workbook of a long list, delete those that are no longer kept."""

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
    """Return the link to the workbook for the person who asked for it alone."""
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
    """Write the rows of a list into a workbook, as the person who asked reads them.

    A job killed before its end starts again, and its first file is swept.
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
    """Delete the workbooks whose days are over, with their jobs, and what killed jobs left."""
    with context.unit_of_work() as work:
        return {"deleted": len(workbooks.FILES.forget_expired(work.session, now=context.now))}


def _find_screen(endpoint: str) -> ExportedScreen:
    """Return the screen of an endpoint. Raises `NotFound` where this version of the program has none."""
    screen: ExportedScreen | None = getattr(
        application.flask.view_functions.get(f"{endpoint}.workbook"), "__self__", None
    )
    if screen is None:
        raise NotFound("Cette liste n’existe plus.")
    return screen
