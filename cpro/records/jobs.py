"""The nightly jobs on records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import nightly
from cpro.records.operations import retention


def _describe_result(result: Mapping[str, Any]) -> str:
    pupils = plural(result.get("pupils", 0), "ancien apprenant", "anciens apprenants")
    schools = plural(result.get("schools", 0), "établissement", "établissements")
    records = plural(result.get("records", 0), "donnée supprimée", "données supprimées")
    return f"{records}, de {pupils}, dans {schools}."


@nightly(
    "records:expire", label="Suppression des données arrivées au terme de leur conservation", summary=_describe_result
)
def expire(context: JobContext) -> dict[str, int]:
    """Delete the records of pupils gone for longer than their school keeps them, a few per transaction.

    If interrupted between two transactions, the first ones are committed and the job is run again; a school where
    nothing is left is skipped.
    """
    done = {"schools": 0, "pupils": 0, "records": 0}
    for establishment_id in retention.list_schools_to_expire(context.now):
        figures = _expire_some(context, establishment_id)
        done["schools"] += bool(figures.records)
        while figures.records:
            done["pupils"] += figures.pupils
            done["records"] += figures.records
            figures = _expire_some(context, establishment_id)
    return done


def _expire_some(context: JobContext, establishment_id: int) -> retention.Expired:
    context.heartbeat()
    with context.unit_of_work() as work:
        return retention.delete_expired(work.session, establishment_id, by=context.actor, now=context.now)
