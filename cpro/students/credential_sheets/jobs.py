"""Delete the documents of activation sheets after half an hour, whether or not they are requested again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import every
from cpro.students.credential_sheets.kept import forget_expired


def _describe_result(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('deleted', 0), 'document effacé', 'documents effacés')}."


@every(15, "sheets:forget", label="Effacement des fiches d’activation gardées", summary=_describe_result)
def forget(context: JobContext) -> dict[str, int]:
    """Delete the expired documents, in every school."""
    with context.unit_of_work() as work:
        return {"deleted": forget_expired(work.session, now=context.now)}
