"""Which actions a page offers on a side: what the operations would accept now.

Operations have the last word, under the locks; the tests hold the two against each other.
"""

from __future__ import annotations

import enum
from datetime import datetime

from cpro.core.tenancy import platform_session
from cpro.extensions import db
from cpro.transfers.errors import NotNow
from cpro.transfers.models import Direction, TransferSide, TransferState
from cpro.transfers.operations.cancellation import can_cancel, count_evaluated
from cpro.transfers.operations.state import check_both_switches


class TransferAction(enum.Enum):
    """What a school may do about one transfer; values are the ends of its addresses."""

    CONFIRM = "confirmer"
    AGREE = "accorder"
    ACCEPT = "accepter"
    REFUSE = "refuser"
    TAKE_BACK = "reprendre"
    ASK_AGAIN = "redemander"
    CANCEL = "annuler"


#: What ends with copies, where nothing else is missing.
COPYING = frozenset({TransferAction.CONFIRM, TransferAction.AGREE, TransferAction.ACCEPT, TransferAction.ASK_AGAIN})

#: What each side may do in each state, the most expected first; what depends on more is in `_depends`.
_OPEN: dict[tuple[Direction, TransferState], tuple[TransferAction, ...]] = {
    (Direction.DESTINATION, TransferState.CONFLICT): (TransferAction.CONFIRM, TransferAction.REFUSE),
    (Direction.DESTINATION, TransferState.OFFERED): (TransferAction.ACCEPT, TransferAction.REFUSE),
    (Direction.SOURCE, TransferState.AGREEMENT): (TransferAction.AGREE, TransferAction.REFUSE),
    (Direction.SOURCE, TransferState.OFFERED): (TransferAction.TAKE_BACK,),
}


def list_open_actions(side: TransferSide, *, now: datetime) -> list[TransferAction]:
    """Return what the school may do about one of its sides, the most expected first."""
    return [*_OPEN.get((side.direction, side.state), ()), *_depends(side, now)]


def check_action(action: TransferAction, side: TransferSide, *, now: datetime) -> None:
    """Raise a refusal when a page may not ask for an action on a side now: asked before it is shown, and once made.

    Raises `NotNow`; `TransfersOff` where the action copies and one of the two schools has transfers switched off.
    """
    if action not in list_open_actions(side, now=now):
        raise NotNow("Cette action n’est pas, ou n’est plus, possible sur ce transfert.")
    if action in COPYING:
        with platform_session("transfers: are both schools open to a copy?") as session:
            check_both_switches(session, establishment_id=side.establishment_id, side_id=side.id)


def count_evaluated_upon(side: TransferSide) -> int:
    """Return how many fiches that a side received somebody evaluated upon: cancelling stops at them, unless kept."""
    return count_evaluated(db.session(), side.establishment_id, [side.id])


def _depends(side: TransferSide, now: datetime) -> list[TransferAction]:
    """Return the actions that ask for more than a state: who decided, how long ago, whether it speaks for its pair."""
    found = [TransferAction.CANCEL] if can_cancel(side, now=now) else []
    if not side.is_current:
        return found
    refused_here = side.state is TransferState.REFUSED and side.decided_in == side.direction_value and not side.is_offer
    if side.direction is Direction.SOURCE:
        return [TransferAction.AGREE] if refused_here else []
    was_made = side.state in (TransferState.DONE, TransferState.CANCELLED) and side.done_at is not None
    return [*found, TransferAction.ASK_AGAIN] if was_made or refused_here else found
