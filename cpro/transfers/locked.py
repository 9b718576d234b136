"""Steps shared by the events of a transfer: lock it, check an event, change it, record it on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.formatting import upper_first
from cpro.core.permissions import Actor
from cpro.core.transactions import lock_schools
from cpro.establishments.models import Establishment
from cpro.transfers.copies import CopiedRecords
from cpro.transfers.errors import NoSuchTransfer, NotNow
from cpro.transfers.lifecycle import Event, check_event, find_arrow, get_end_state
from cpro.transfers.models import Direction, Transfer, TransferSide
from cpro.transfers.notifications import name_school, notify_heads
from cpro.transfers.pairs import Pair
from cpro.transfers.recording import audit_changes, named_to
from cpro.transfers.verdicts import apply_verdicts, make_search_key

_NO_LONGER_THE_SAME = (
    "Les fichiers des deux établissements ne désignent plus le même élève, ou il n’est plus parti de l’un et "
    "présent dans l’autre : rien n’a été copié."
)


@dataclass
class LockedTransfer:
    """A transfer read with both its schools locked.

    `side` is the side of the acting school, `other` that of the other school, None if it was deleted.
    """

    transfer: Transfer
    side: TransferSide
    other: TransferSide | None
    acting: Establishment

    @property
    def sides(self) -> list[TransferSide]:
        """Return the existing sides, the acting school's first."""
        return [self.side, *([self.other] if self.other else [])]

    @property
    def pair(self) -> Pair:
        """Return the pair of pupils, both of whom are known once an offer is linked."""
        assert self.transfer.destination_student_id is not None
        return Pair(
            self.transfer.destination_id,
            self.transfer.destination_student_id,
            self.transfer.source_id,
            self.transfer.source_student_id,
        )


def lock_transfer(session: Session, *, establishment_id: int, side_id: int) -> LockedTransfer:
    """Lock both schools of a transfer, then reload it with its sides. Raises `NoSuchTransfer`."""
    transfer = session.scalars(
        select(Transfer)
        .join(TransferSide, TransferSide.transfer_id == Transfer.id)
        .where(TransferSide.id == side_id, TransferSide.establishment_id == establishment_id)
    ).one_or_none()
    if transfer is None:
        raise NoSuchTransfer
    lock_schools(session, [transfer.source_id, transfer.destination_id])
    sides = session.scalars(
        select(TransferSide)
        .where(TransferSide.transfer_id == transfer.id)
        .order_by(TransferSide.id)
        .execution_options(populate_existing=True)
    ).all()
    mine = [side for side in sides if side.id == side_id]
    if not mine:
        raise NoSuchTransfer  # a run has just deleted it
    session.refresh(transfer)
    others = [side for side in sides if side.id != side_id]
    return LockedTransfer(
        transfer, mine[0], others[0] if others else None, session.get_one(Establishment, establishment_id)
    )


def lock_for(event: Event, session: Session, *, establishment_id: int, side_id: int, now: datetime) -> LockedTransfer:
    """Lock a transfer that an event is about to change. Raises `NoSuchTransfer`, and as `lifecycle.check_event`."""
    locked = lock_transfer(session, establishment_id=establishment_id, side_id=side_id)
    check_event(session, event, locked.side, now=now)
    return locked


def follow(locked: LockedTransfer, event: Event, *, reason: str = "", by: Actor, now: datetime) -> None:
    """Set the only state to which an event leads, and who decided, on the transfer and on both sides."""
    locked.transfer.state = get_end_state(event)
    for side in locked.sides:
        side.state, side.changed_at = locked.transfer.state, now
    note_decision(locked, reason=reason, by=by, now=now)


def note_decision(locked: LockedTransfer, *, reason: str = "", by: Actor, now: datetime) -> None:
    """Record a decision on both sides; the person is named only to their own school."""
    for side in locked.sides:
        side.decided_at, side.decided_in, side.reason = now, locked.side.direction.value, reason
        side.decided_by = by.label[:200] if side is locked.side else ""


def close_offer(locked: LockedTransfer) -> None:
    """Erase the pupil's data that an offer showed the destination school, once it is answered, withdrawn or expired."""
    for side in locked.sides:
        side.offered_birth_date = side.expires_at = None
        if side.direction is Direction.DESTINATION and side.student_id is None:
            side.student_label = "élève proposé"
            side.search_key = make_search_key(side.student_label, side.other_name, side.other_uai)
    locked.transfer.expires_at = None


def judge_again(session: Session, locked: LockedTransfer, event: Event, *, now: datetime) -> CopiedRecords:
    """Judge a pair again after a decision, copy if nothing is missing, and return what was copied.

    The sides keep who decided. Raises `NotNow` when the data no longer matches the two pupils, or would lead to a state
    that the event does not allow.
    """
    arrow = find_arrow(event, locked.side)
    session.flush()
    pair, transfer_id = locked.pair, locked.transfer.id
    applied = apply_verdicts(session, [pair], asked=[pair], now=now)
    reached = session.scalar(select(Transfer.state).where(Transfer.id == transfer_id))
    if arrow is None or reached is None or reached not in arrow.after:
        raise NotNow(_NO_LONGER_THE_SAME)
    for row in (locked.transfer, *locked.sides):
        session.expire(row)
    if applied.copied:
        session.execute(update(Transfer).where(Transfer.id == locked.transfer.id).values(recorded_at=now))
        session.expire(locked.transfer)
        notify_heads(session, between=(pair.source_id, pair.destination_id), now=now)
    return applied.copied_records.get(pair.destination_id, CopiedRecords())


def record_on_both_sides(
    session: Session,
    locked: LockedTransfer,
    action: str,
    *,
    copied: CopiedRecords | None = None,
    taken: CopiedRecords | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """Record one action in the journals of both schools, with what it `copied` or has `taken` back.

    In ascending order of school ids. The other school's journal names the acting school, but none of its people.
    """
    figures = audit_changes(0, copied) if copied else {}
    figures |= {name: (number, None) for name, (_before, number) in audit_changes(0, taken or CopiedRecords()).items()}
    sides = sorted(locked.sides, key=lambda side: (side.establishment_id, side.id))
    for side in sides:
        is_own = side.establishment_id == locked.side.establishment_id
        acting = name_school(locked.acting) if side.is_named else "l’autre établissement"
        record(
            f"transfer:{action}",
            About("transfer", side.id, side.student_label),
            by=named_to(by, is_own=is_own, otherwise=upper_first(acting)),
            now=now,
            changes={**(changes or {}), **figures},
            establishment_id=side.establishment_id,
            session=session,
        )
