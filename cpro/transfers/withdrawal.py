"""Undo the transfers that an import caused, when the import is undone.

Undoing an import is an action of one school, in its own session. What that school received is removed in the same
transaction, since the pupils themselves may be deleted. What others received, and the rows that no school sees, are
removed by a job enqueued in that transaction. The pairs are not closed: if the data match again, a run copies again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.extensions import db
from cpro.transfers.cancellation import count_evaluated, remove_copies
from cpro.transfers.errors import WithdrawalImpossible
from cpro.transfers.lifecycle import PENDING, Event, find_refusal, get_end_state
from cpro.transfers.locked import follow, lock_transfer, record_on_both_sides
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState
from cpro.transfers.verdicts import write_in_bulk

_PAGE = 5000
REASON = "import annulé"


class Caused(NamedTuple):
    """A transfer that an import caused, and its reception."""

    transfer_id: int
    destination_id: int
    side_id: int


def withdraw_here(
    *, establishment_id: int, student_ids: Sequence[int], created_ids: Sequence[int], since: datetime, now: datetime
) -> list[int]:
    """Remove, in the school's own session, what it received for some pupils; return the transfers to withdraw.

    `student_ids` are the pupils whose presence or identity the import changed, `created_ids` those it created, deleted
    with it. Raises `WithdrawalImpossible` once the copies of those transfers were evaluated upon, here or there.
    """
    caused = _list_caused(establishment_id, student_ids, since)
    receptions = [each.side_id for each in caused if each.destination_id == establishment_id]
    session = db.session()
    if receptions:
        remove_copies(session, establishment_id, receptions)
        values: dict[str, Any] = {
            "state": get_end_state(Event.WITHDRAW),
            "is_current": False,
            "reason": REASON,
            "changed_at": now,
        }
        write_in_bulk(session, update(TransferSide).where(TransferSide.id.in_(receptions)).values(values))
    for ids in _pages(_list_sides(created_ids, since)):
        of_theirs = TransferSide.id.in_(ids)
        write_in_bulk(session, delete(TransferSide).where(of_theirs, TransferSide.state.in_(PENDING)))
        write_in_bulk(session, update(TransferSide).where(of_theirs).values(student_id=None))
    return [each.transfer_id for each in caused]


def withdraw(session: Session, transfer_id: int, *, by: Actor, now: datetime) -> bool:
    """Withdraw a transfer for both schools, in a platform session; return whether there was still something to do.

    Fiches evaluated upon since the undoing are kept, as the destination school's own.
    """
    side = session.scalars(
        select(TransferSide)
        .join(Transfer, Transfer.id == TransferSide.transfer_id)
        .where(
            TransferSide.transfer_id == transfer_id,
            TransferSide.direction == Direction.DESTINATION,
            Transfer.state == TransferState.DONE,
        )
    ).one_or_none()
    if side is None:
        return False
    locked = lock_transfer(session, establishment_id=side.establishment_id, side_id=side.id)
    # The destination school's side may already be cancelled: the undoing wrote it there.
    if find_refusal(Event.WITHDRAW, locked.other or locked.side, now=now):
        return False
    taken = remove_copies(session, side.establishment_id, [side.id])
    locked.transfer.recorded_at, locked.transfer.is_current = now, False
    follow(locked, Event.WITHDRAW, reason=REASON, by=by, now=now)
    for each in locked.sides:
        each.is_current, each.decided_by, each.decided_in = False, "", ""
    record_on_both_sides(session, locked, "withdrawn-by-import", taken=taken, by=by, now=now)
    return True


def _list_caused(establishment_id: int, student_ids: Sequence[int], since: datetime) -> list[Caused]:
    """Return the transfers of some pupils of a school since an instant. Raises `WithdrawalImpossible`.

    Uses a platform session instead of the school's, which may not read the other school.
    """
    concerned = set(student_ids)
    with tenancy.platform_session("transfers: what an import caused") as session:
        # The transfers of a week are few and the pupils of an import many: they are filtered in Python.
        rows = session.execute(
            select(
                Transfer.id,
                Transfer.destination_id,
                TransferSide.id,
                Transfer.source_student_id,
                Transfer.destination_student_id,
            )
            .join(TransferSide, TransferSide.transfer_id == Transfer.id)
            .where(
                TransferSide.direction == Direction.DESTINATION,
                Transfer.state == TransferState.DONE,
                Transfer.done_at >= since,
                or_(Transfer.source_id == establishment_id, Transfer.destination_id == establishment_id),
            )
            .order_by(Transfer.id)
        )
        found = [
            Caused(transfer_id, destination_id, side_id)
            for transfer_id, destination_id, side_id, *pupils in rows
            if not concerned.isdisjoint(pupils)
        ]
        for school in sorted({each.destination_id for each in found}):
            if count_evaluated(session, school, [each.side_id for each in found if each.destination_id == school]):
                where = "votre établissement" if school == establishment_id else "l’établissement d’accueil"
                raise WithdrawalImpossible(
                    f"Cet import ne peut plus être annulé : dans {where}, des fiches arrivées par un transfert qu’il a "
                    "causé ont servi à une évaluation. Rien n’a été défait."
                )
    return found


def _list_sides(student_ids: Sequence[int], since: datetime) -> list[int]:
    """Return the school's sides of some pupils who arrived at an instant or later."""
    concerned = set(student_ids)
    rows = db.session.execute(
        select(TransferSide.id, TransferSide.student_id)
        .where(TransferSide.created_at >= since, TransferSide.student_id.is_not(None))
        .order_by(TransferSide.id)
    )
    return [side_id for side_id, student_id in rows if student_id in concerned]


def _pages(ids: Collection[int]) -> Iterator[list[int]]:
    pending = iter(ids)
    while page := list(islice(pending, _PAGE)):
        yield page
