"""The nightly job of error pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import nightly
from cpro.core.shown_errors.operations import sweep


def _describe(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('forgotten', 0), 'page d’erreur oubliée', 'pages d’erreur oubliées')}."


@nightly("errors:sweep", label="Oubli des pages d’erreur de plus de trente jours", summary=_describe)
def forget_old_errors(context: JobContext) -> dict[str, int]:
    """Delete the error pages older than thirty days."""
    with context.unit_of_work() as work:
        return {"forgotten": sweep(work.session, now=context.now)}
