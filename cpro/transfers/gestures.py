"""Which gestures a page offers on a side: what operations would accept, told before anybody asks.

Operations have the last word, under the locks; the tests hold the two against each other.
"""

from __future__ import annotations

import enum
from datetime import datetime

from cpro.transfers.models import Direction, TransferSide, TransferState
from cpro.transfers.operations.cancelling import can_cancel


class Gesture(enum.Enum):
    """What a school may do about one transfer; values are the ends of its addresses."""

    CONFIRM = "confirmer"
    AGREE = "accorder"
    ACCEPT = "accepter"
    REFUSE = "refuser"
    TAKE_BACK = "reprendre"
    ASK_AGAIN = "redemander"
    CANCEL = "annuler"


#: What each side may do in each state, the most expected first; what depends on more is in `_depends`.
_OPEN: dict[tuple[Direction, TransferState], tuple[Gesture, ...]] = {
    (Direction.JOINED, TransferState.CONFLICT): (Gesture.CONFIRM, Gesture.REFUSE),
    (Direction.JOINED, TransferState.OFFERED): (Gesture.ACCEPT, Gesture.REFUSE),
    (Direction.LEFT, TransferState.AGREEMENT): (Gesture.AGREE, Gesture.REFUSE),
    (Direction.LEFT, TransferState.OFFERED): (Gesture.TAKE_BACK,),
}


def open_gestures(side: TransferSide, *, now: datetime) -> list[Gesture]:
    """Return what the school may do about one of its sides, the most expected first."""
    return [*_OPEN.get((side.direction, side.state), ()), *_depends(side, now)]


def _depends(side: TransferSide, now: datetime) -> list[Gesture]:
    """Return the gestures that ask for more than a state: who decided, how long ago, whether it speaks for its pair."""
    found = [Gesture.CANCEL] if can_cancel(side, now=now) else []
    if not side.is_current:
        return found
    refused_here = side.state is TransferState.REFUSED and side.decided_in == side.direction_value and not side.is_offer
    if side.direction is Direction.LEFT:
        return [Gesture.AGREE] if refused_here else []
    was_made = side.state in (TransferState.DONE, TransferState.CANCELLED) and side.done_at is not None
    return [*found, Gesture.ASK_AGAIN] if was_made or refused_here else found
