"""Open the accounts of thousands of pupils, outside the request that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import Report, job
from cpro.core.jobs.models import Job
from cpro.core.permissions import Principal
from cpro.students.accounts.operations import OPEN_JOB, NoAccountToOpen, open_accounts
from cpro.students.accounts.queries import Selection


def _report(done: Job, reader: Principal) -> Report:
    chosen = {"pour": "role", "role": "student"}
    return Report("credential_sheets.choose", "Imprimer les fiches d’activation", chosen)


def _describe_result(result: Mapping[str, Any]) -> str:
    opened = result.get("opened", 0)
    return plural(opened, "compte d’élève est ouvert.", "comptes d’élèves sont ouverts.")


@job(OPEN_JOB, label="Ouverture des comptes des élèves", summary=_describe_result, report=_report)
def open_many(context: JobContext, selection: dict[str, Any]) -> dict[str, Any] | None:
    """Open the accounts of a selection in the transaction that ends the job; idempotent."""
    context.progress(0, 0, "Ouverture des comptes, en une seule fois")
    wanted = Selection(**{**selection, "student_ids": tuple(selection["student_ids"])})
    with context.unit_of_work() as work:
        try:
            opened = open_accounts(wanted, by=context.actor, now=context.now)
        except NoAccountToOpen:
            opened = 0
        context.finish_within(work.session, {"opened": opened})
    return None
