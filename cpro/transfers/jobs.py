"""The jobs of transfers, and the listeners that request them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cpro.core import tenancy
from cpro.core.formatting import join_french, plural
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import Report, job, nightly
from cpro.core.jobs.models import Job, JobState
from cpro.core.permissions import Actor, Principal
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.models import Establishment
from cpro.extensions import db
from cpro.students.queries import has_ine
from cpro.transfers import anonymisation, guesses, offers
from cpro.transfers.models import Transfer, TransferState
from cpro.transfers.runs import run
from cpro.transfers.withdrawal import withdraw, withdraw_here

RUN_JOB = "transfers:run"
WITHDRAW_JOB = "transfers:withdraw"


def _report(done: Job, reader: Principal) -> Report:
    return Report("transfers.index", "Voir les transferts")


def _describe_result(result: Mapping[str, Any]) -> str:
    """Return a sentence describing the result of a run."""
    parts = [
        plural(result.get("transfers", 0), "transfert fait", "transferts faits"),
        plural(result.get("records", 0), "donnée copiée", "données copiées"),
    ]
    if changed := result.get("changed", 0):
        parts.append(plural(changed, "dossier dont l’attente a changé", "dossiers dont l’attente a changé"))
    return f"{join_french(parts)}."


def _describe_withdrawal(result: Mapping[str, Any]) -> str:
    withdrawn = plural(result.get("withdrawn", 0), "transfert annulé", "transferts annulés")
    return f"{withdrawn} ; puis, après une nouvelle recherche : {_describe_result(result)}"


def _describe_night(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('expired', 0), 'proposition échue', 'propositions échues')}, {_describe_result(result)}"


def _describe_forgetting(result: Mapping[str, Any]) -> str:
    return f"{plural(result.get('forgotten', 0), 'transfert ancien oublié', 'transferts anciens oubliés')}."


@job(
    RUN_JOB, label="Recherche des élèves à transférer", summary=_describe_result, exclusive="transfers", report=_report
)
def run_for_school(context: JobContext) -> dict[str, Any]:
    """Match and copy for the pupils whose INE the school has; each batch is a transaction of its own."""
    return _run(context, context.establishment_id)


@job(
    WITHDRAW_JOB,
    label="Annulation des transferts dus à un import",
    summary=_describe_withdrawal,
    exclusive="transfers",
    report=_report,
)
def withdraw_transfers(context: JobContext, transfer_ids: list[int]) -> dict[str, Any]:
    """Withdraw the transfers caused by an undone import, then match again."""
    withdrawn = 0
    for done, transfer_id in enumerate(transfer_ids, 1):
        with platform_unit_of_work(context.reason) as work:
            withdrawn += withdraw(work.session, transfer_id, by=context.actor, now=context.now)
        context.progress(done, len(transfer_ids), "Retrait des copies")
    return {"withdrawn": withdrawn, **_run(context, context.establishment_id)}


@nightly("transfers:nightly", label="Transferts de la nuit", summary=_describe_night)
def run_for_all(context: JobContext) -> dict[str, Any]:
    """Match and copy for all schools, and expire old offers."""
    with platform_unit_of_work("transfers: old guesses") as work:
        guesses.forget_old(work.session, now=context.now)
    return {"expired": expire_offers(by=context.actor, now=context.now), **_run(context, None)}


@nightly("transfers:forget", label="Oubli des noms des transferts anciens", summary=_describe_forgetting)
def forget_old_names(context: JobContext) -> dict[str, int]:
    """Erase the names from old transfers, one batch of a school per transaction; skip schools with nothing left."""
    forgotten = 0
    for establishment_id in anonymisation.list_schools_to_forget(context.now):
        while some := _forget_some(context, establishment_id):
            forgotten += some
    return {"forgotten": forgotten}


def _forget_some(context: JobContext, establishment_id: int) -> int:
    context.heartbeat()
    with context.unit_of_work() as work:
        return anonymisation.forget_names(work.session, establishment_id, by=context.actor, now=context.now)


def expire_offers(*, by: Actor, now: datetime) -> int:
    """Expire the offers that were not answered in time, each in its own transaction; return how many."""
    with tenancy.platform_session("transfers: old offers") as session:
        due = session.scalars(
            select(Transfer.id).where(Transfer.state == TransferState.OFFERED, Transfer.expires_at <= now)
        ).all()
    expired = 0
    for transfer_id in due:
        with platform_unit_of_work("transfers: an old offer") as work:
            expired += offers.expire(work.session, transfer_id, by=by, now=now)
    return expired


def request_run(*, by: Actor, now: datetime) -> Job:
    """Request a run on the pupils of the current school (« Essayer maintenant »), in its unit of work.

    A waiting run is returned instead of creating a second one.
    """
    waiting = db.session.scalars(
        select(Job).where(Job.kind == RUN_JOB, Job.state == JobState.WAITING).order_by(Job.id).limit(1)
    ).first()
    return waiting or jobs.enqueue(RUN_JOB, by=by, now=now)


def after_import(sender: object, *, establishment_id: int, run_id: int, by: Actor, now: datetime) -> None:
    """Request a run once an import is applied: pupils left and arrived."""
    request_run(by=by, now=now)


def after_presence(sender: object, *, student_ids: Sequence[int], by: Actor, now: datetime) -> None:
    """Request a run when pupils who may match another school's were marked as departed or back."""
    if has_ine(student_ids):
        request_run(by=by, now=now)


def after_switch(sender: Establishment, *, enabled: bool, by: Actor, now: datetime) -> None:
    """Request a run when a school switched its transfers on or off: pairs stop waiting for it, or wait again."""
    request_run(by=by, now=now)


def before_undoing(
    sender: object,
    *,
    establishment_id: int,
    run_id: int,
    student_ids: Sequence[int],
    created_ids: Sequence[int],
    applied_at: datetime,
    by: Actor,
    now: datetime,
) -> None:
    """Remove what an import caused, before it is undone. Raises `WithdrawalImpossible`."""
    transfer_ids = withdraw_here(
        establishment_id=establishment_id, student_ids=student_ids, created_ids=created_ids, since=applied_at, now=now
    )
    jobs.enqueue(WITHDRAW_JOB, {"transfer_ids": transfer_ids}, by=by, now=now)


def _run(context: JobContext, establishment_id: int | None) -> dict[str, Any]:
    return run(
        by=context.actor,
        clock=lambda: context.now,
        establishment_id=establishment_id,
        progress=lambda done, total: context.progress(done, total, "Copie des données des élèves"),
    ).as_result()
