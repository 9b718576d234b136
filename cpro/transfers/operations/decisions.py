"""What a school decides about one transfer: confirm an identity, agree, refuse, ask again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from cpro.core.errors import DomainError, FieldErrors
from cpro.core.permissions import Actor
from cpro.core.validators import clean_text
from cpro.transfers.models import TO_DECIDE, Direction, TransferSide, TransferState
from cpro.transfers.operations.state import (
    LockedTransfer,
    check_state,
    check_switches,
    judge_again,
    lock_transfer,
    record_on_both_sides,
    set_state,
)
from cpro.transfers.operations.verdicts import search_key_of

REASON_LENGTH = 300


def confirm(session: Session, *, establishment_id: int, side_id: int, by: Actor, now: datetime) -> TransferSide:
    """Confirm, for the destination school, that a pupil in CONFLICT is the same, and copy at once; return its side.

    The side is DONE, or AGREEMENT when the source school must still agree. Raises `NoSuchTransfer`, `NotNow`,
    `TransfersOff`.
    """
    locked = lock_transfer(session, establishment_id=establishment_id, side_id=side_id)
    check_state(locked, Direction.DESTINATION, {TransferState.CONFLICT})
    check_switches(session, locked)
    locked.transfer.confirmed_at = now
    return _decide(session, locked, "confirmed", by=by, now=now)


def agree(session: Session, *, establishment_id: int, side_id: int, by: Actor, now: datetime) -> TransferSide:
    """Agree, for the source school, to a transfer in AGREEMENT (or that it REFUSED before), and copy at once.

    The side is DONE, or CONFLICT when the destination school must still confirm. Raises as `confirm`.
    """
    locked = lock_transfer(session, establishment_id=establishment_id, side_id=side_id)
    changed_mind = locked.transfer.state is TransferState.REFUSED and locked.side.decided_in == Direction.SOURCE.value
    check_state(locked, Direction.SOURCE, {TransferState.AGREEMENT, *([TransferState.REFUSED] if changed_mind else [])})
    check_switches(session, locked)
    locked.transfer.agreed_at = now
    return _decide(session, locked, "agreed", by=by, now=now)


def refuse(
    session: Session, *, establishment_id: int, side_id: int, reason: str, by: Actor, now: datetime
) -> TransferSide:
    """Refuse a transfer: the destination school one in CONFLICT or OFFERED, the source school one in AGREEMENT.

    Both schools read the reason. Raises `NoSuchTransfer`, `NotNow`, `FieldErrors` without a reason.
    """
    locked = lock_transfer(session, establishment_id=establishment_id, side_id=side_id)
    check_state(locked, locked.side.direction, TO_DECIDE[locked.side.direction])
    typed = clean_reason(reason, required=True)
    if locked.transfer.state is TransferState.OFFERED:
        close_offer(locked)
    set_state(locked, TransferState.REFUSED, reason=typed, by=by, now=now)
    record_on_both_sides(session, locked, "refused", changes={"reason": (None, typed)}, by=by, now=now)
    return locked.side


def ask_again(session: Session, *, establishment_id: int, side_id: int, by: Actor, now: datetime) -> TransferSide:
    """Ask, for the destination school, for a transfer that it CANCELLED or REFUSED; it is judged anew, at once.

    A DONE one may be asked again too: what is missing is copied. Raises `NoSuchTransfer`, `NotNow`, `TransfersOff`.
    """
    locked = lock_transfer(session, establishment_id=establishment_id, side_id=side_id)
    check_state(locked, Direction.DESTINATION, {TransferState.CANCELLED, TransferState.REFUSED, TransferState.DONE})
    refused_there = locked.transfer.state is TransferState.REFUSED and locked.side.decided_in == Direction.SOURCE.value
    check_state(locked, Direction.DESTINATION, set() if refused_there else {locked.transfer.state})
    check_switches(session, locked)
    return _decide(session, locked, "asked", by=by, now=now)


def clean_reason(typed: str, *, required: bool) -> str:
    """Return a reason on one line. Raises `FieldErrors` when it is refused, or missing though required."""
    try:
        reason = clean_text(typed, max_length=REASON_LENGTH)
    except DomainError as refusal:
        raise FieldErrors({"reason": refusal.message}) from None
    if required and not reason:
        raise FieldErrors({"reason": "Indiquez la raison : les deux établissements la liront."})
    return reason


def close_offer(locked: LockedTransfer) -> None:
    """Erase what an offer told the destination school about a pupil, once it is answered, withdrawn or expired."""
    for side in locked.sides:
        side.offered_birth_date = side.expires_at = None
        if side.direction is Direction.DESTINATION and side.student_id is None:
            side.student_label = "élève proposé"
            side.search_key = search_key_of(side.student_label, side.other_name, side.other_uai)
    locked.transfer.expires_at = None


def _decide(session: Session, locked: LockedTransfer, action: str, *, by: Actor, now: datetime) -> TransferSide:
    for side in locked.sides:
        side.decided_at, side.decided_in, side.reason = now, locked.side.direction_value, ""
        side.decided_by = by.label[:200] if side is locked.side else ""
    copied = judge_again(session, locked, by=by, now=now)
    record_on_both_sides(session, locked, action, copied=copied, by=by, now=now)
    return locked.side
