"""The nightly job of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.drafts.operations import sweep
from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import nightly


def _describe(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('forgotten', 0), 'brouillon oublié', 'brouillons oubliés')}."


@nightly("drafts:sweep", label="Oubli des brouillons de plus de sept jours", summary=_describe)
def forget_old_drafts(context: JobContext) -> dict[str, int]:
    """Delete the drafts unchanged for seven days."""
    with context.unit_of_work() as work:
        return {"forgotten": sweep(work.session, now=context.now)}
