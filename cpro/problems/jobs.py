"""The nightly job of problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import nightly
from cpro.problems.operations import sweep


def _describe(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('forgotten', 0), 'problème décrit oublié', 'problèmes décrits oubliés')}."


@nightly("problems:sweep", label="Oubli des problèmes décrits que l’on ne garde plus", summary=_describe)
def forget_old_problems(context: JobContext) -> dict[str, int]:
    """Delete the problems handled thirty days ago, and those described a hundred and eighty days ago."""
    with context.unit_of_work() as work:
        return {"forgotten": sweep(work.session, now=context.now)}
