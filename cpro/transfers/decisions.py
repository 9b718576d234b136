"""Decisions of a school about one transfer: confirm an identity, agree, refuse, ask again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from cpro.core.errors import check_no_error
from cpro.core.permissions import Actor
from cpro.core.validators import read_line
from cpro.transfers.lifecycle import Event
from cpro.transfers.locked import (
    LockedTransfer,
    close_offer,
    follow,
    judge_again,
    lock_for,
    note_decision,
    record_on_both_sides,
)
from cpro.transfers.models import TransferSide, TransferState

REASON_LENGTH = 300
_RECORDED = {Event.CONFIRM: "confirmed", Event.AGREE: "agreed", Event.ASK_AGAIN: "asked"}


def confirm(session: Session, *, establishment_id: int, side_id: int, by: Actor, now: datetime) -> TransferSide:
    """Confirm, for the destination school, that a pupil in CONFLICT is the same; return its side.

    This asks the source school for its agreement, even if it agreed before to another identity: the side becomes
    AGREEMENT, or DONE if the identities agree by now. Raises `NoSuchTransfer`, `NotNow`, `TransfersOff`.
    """
    locked = lock_for(Event.CONFIRM, session, establishment_id=establishment_id, side_id=side_id, now=now)
    locked.transfer.confirmed_at, locked.transfer.agreed_at = now, None
    return _decide(session, locked, Event.CONFIRM, by=by, now=now)


def agree(session: Session, *, establishment_id: int, side_id: int, by: Actor, now: datetime) -> TransferSide:
    """Agree, for the source school, to a transfer in AGREEMENT (or one it REFUSED before), and copy immediately.

    The side becomes DONE, or CONFLICT if the destination school must still confirm. Raises as `confirm`.
    """
    locked = lock_for(Event.AGREE, session, establishment_id=establishment_id, side_id=side_id, now=now)
    locked.transfer.agreed_at = now
    return _decide(session, locked, Event.AGREE, by=by, now=now)


def refuse(
    session: Session, *, establishment_id: int, side_id: int, reason: str, by: Actor, now: datetime
) -> TransferSide:
    """Refuse a transfer in CONFLICT or OFFERED (destination school) or in AGREEMENT (source school).

    Both schools see the reason. Raises `NoSuchTransfer`, `NotNow`, `FieldErrors` without a reason.
    """
    locked = lock_for(Event.REFUSE, session, establishment_id=establishment_id, side_id=side_id, now=now)
    typed = clean_reason(reason, required=True)
    if locked.transfer.state is TransferState.OFFERED:
        close_offer(locked)
    follow(locked, Event.REFUSE, reason=typed, by=by, now=now)
    record_on_both_sides(session, locked, "refused", changes={"reason": (None, typed)}, by=by, now=now)
    return locked.side


def ask_again(session: Session, *, establishment_id: int, side_id: int, by: Actor, now: datetime) -> TransferSide:
    """Ask again, for the destination school, for a transfer that it CANCELLED or REFUSED; judge the pair at once.

    A DONE one may be asked for too: missing records are copied. Raises `NoSuchTransfer`, `NotNow`, `TransfersOff`.
    """
    locked = lock_for(Event.ASK_AGAIN, session, establishment_id=establishment_id, side_id=side_id, now=now)
    return _decide(session, locked, Event.ASK_AGAIN, by=by, now=now)


def clean_reason(typed: str, *, required: bool) -> str:
    """Return a reason on one line. Raises `FieldErrors` when it is invalid, or missing though required."""
    errors: dict[str, str] = {}
    missing = "Indiquez la raison : les deux établissements la liront." if required else ""
    reason = read_line({"reason": typed}, "reason", REASON_LENGTH, errors, required=missing)
    check_no_error(errors)
    return reason


def _decide(session: Session, locked: LockedTransfer, event: Event, *, by: Actor, now: datetime) -> TransferSide:
    note_decision(locked, by=by, now=now)
    copied = judge_again(session, locked, event, now=now)
    record_on_both_sides(session, locked, _RECORDED[event], copied=copied, by=by, now=now)
    return locked.side
