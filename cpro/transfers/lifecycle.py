"""The life cycle of a transfer: which events may happen, caused by whom, from which state and to which.

`TABLE` is the only definition. Pages read it to offer an event and before they show an event's page; the operation
reads it again under the locks; a run reads which states it may change. docs/transfers.md has a diagram of it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from cpro.transfers.errors import NoSuchTransfer, NotNow, TransfersOff
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState

#: How long the destination school may cancel.
CANCEL_PERIOD = timedelta(days=30)

_NOT_POSSIBLE = "Cette action n’est pas, ou n’est plus, possible sur ce transfert."
_TOO_LATE = "Cette proposition a expiré : demandez à l’établissement d’origine de la renouveler."


class Event(enum.Enum):
    """Events of transfers; the values of people's actions are the ends of the URLs of their pages."""

    RUN = "run"
    OFFER = "proposer"
    CONFIRM = "confirmer"
    AGREE = "accorder"
    ACCEPT = "accepter"
    REFUSE = "refuser"
    TAKE_BACK = "reprendre"
    CANCEL = "annuler"
    ASK_AGAIN = "redemander"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"

    @property
    def needs_both_switches(self) -> bool:
        """Return whether a person causes it and it ends with copies: both schools must then have transfers on."""
        return self in _COPYING


_COPYING = frozenset({Event.CONFIRM, Event.AGREE, Event.ACCEPT, Event.ASK_AGAIN})


@dataclass(frozen=True)
class Condition:
    """A condition on a side besides its state: its text, a function, and the sentence shown when it fails."""

    words: str
    holds: Callable[[TransferSide, datetime], bool]
    refusal: str = _NOT_POSSIBLE


@dataclass(frozen=True)
class Arrow:
    """An event from one state: `by` the school of a direction or, if None, the platform; `after`, the possible states.

    The state None means no transfer at all. A transfer that is no longer current for its pair accepts only
    `even_if_over` events.
    """

    event: Event
    by: Direction | None
    before: TransferState | None
    after: frozenset[TransferState | None]
    condition: Condition | None = None
    even_if_over: bool = False


_IN_TIME = Condition(
    "within the 60 days of the offer", lambda side, now: side.expires_at is None or side.expires_at > now, _TOO_LATE
)
_LATE = Condition("after the 60 days of the offer", lambda side, now: not _IN_TIME.holds(side, now))
_RECENT = Condition("within 30 days", lambda side, now: side.done_at is not None and side.done_at > now - CANCEL_PERIOD)
_COPIED = Condition("it was copied once", lambda side, now: side.done_at is not None)
_REFUSED_HERE = Condition(
    "the same school refused it, and it was no offer",
    lambda side, now: side.decided_in == side.direction.value and not side.is_offer,
)

_S, _SOURCE, _DESTINATION = TransferState, Direction.SOURCE, Direction.DESTINATION
#: States that a run deletes or changes by itself, according to the data of the two schools.
MATCHED = frozenset({_S.WAITING_SOURCE, _S.WAITING_DESTINATION, _S.TWINS, _S.BLOCKED, _S.CONFLICT, _S.AGREEMENT})
#: States from which a decision or an import may still lead to a copy, nothing having been copied yet.
PENDING = MATCHED | {_S.OFFERED}
_JUDGED = frozenset({_S.TWINS, _S.BLOCKED, _S.CONFLICT, _S.AGREEMENT, _S.DONE})

#: Most expected first: pages offer events in this order.
TABLE: tuple[Arrow, ...] = (
    Arrow(Event.RUN, None, None, MATCHED | {_S.DONE}),
    *(Arrow(Event.RUN, None, state, MATCHED | {_S.DONE, None}) for state in _S if state in MATCHED),
    Arrow(Event.OFFER, _SOURCE, None, frozenset({_S.OFFERED})),
    Arrow(Event.CONFIRM, _DESTINATION, _S.CONFLICT, _JUDGED - {_S.CONFLICT}),
    Arrow(Event.AGREE, _SOURCE, _S.AGREEMENT, _JUDGED - {_S.AGREEMENT}),
    Arrow(Event.AGREE, _SOURCE, _S.REFUSED, _JUDGED - {_S.AGREEMENT}, _REFUSED_HERE),
    Arrow(Event.ACCEPT, _DESTINATION, _S.OFFERED, frozenset({_S.DONE, _S.BLOCKED}), _IN_TIME),
    Arrow(Event.REFUSE, _DESTINATION, _S.CONFLICT, frozenset({_S.REFUSED})),
    Arrow(Event.REFUSE, _DESTINATION, _S.OFFERED, frozenset({_S.REFUSED})),
    Arrow(Event.REFUSE, _SOURCE, _S.AGREEMENT, frozenset({_S.REFUSED})),
    Arrow(Event.TAKE_BACK, _SOURCE, _S.OFFERED, frozenset({_S.CANCELLED})),
    Arrow(Event.CANCEL, _DESTINATION, _S.DONE, frozenset({_S.CANCELLED}), _RECENT, even_if_over=True),
    # What was copied stays until it is cancelled: asked for again, it is completed, or the request is refused.
    Arrow(Event.ASK_AGAIN, _DESTINATION, _S.DONE, frozenset({_S.DONE})),
    Arrow(Event.ASK_AGAIN, _DESTINATION, _S.CANCELLED, _JUDGED, _COPIED),
    Arrow(Event.ASK_AGAIN, _DESTINATION, _S.REFUSED, _JUDGED, _REFUSED_HERE),
    Arrow(Event.EXPIRE, None, _S.OFFERED, frozenset({_S.EXPIRED}), _LATE),
    Arrow(Event.WITHDRAW, None, _S.DONE, frozenset({_S.CANCELLED}), even_if_over=True),
)

#: States that wait for a person of a school, by the direction of its side: those they may refuse.
TO_DECIDE: dict[Direction, frozenset[TransferState]] = {
    direction: frozenset(
        each.before for each in TABLE if each.event is Event.REFUSE and each.by is direction and each.before
    )
    for direction in Direction
}


def get_end_state(event: Event) -> TransferState:
    """Return the only state to which an event leads, from any state. Raises `ValueError` for an event that judges."""
    (state,) = {state for each in TABLE if each.event is event for state in each.after if state}
    return state


def find_arrow(event: Event, side: TransferSide) -> Arrow | None:
    """Return the arrow that an event would follow from a side's state, ignoring conditions; None if there is none.

    Events that only the platform causes may be looked up on either side.
    """
    return next(
        (
            each
            for each in TABLE
            if each.event is event
            and each.by in (side.direction, None)
            and each.before is side.state
            and (side.is_current or each.even_if_over)
        ),
        None,
    )


def find_refusal(event: Event, side: TransferSide, *, now: datetime) -> str | None:
    """Return the sentence that refuses an event on a side now, None if allowed; ignores the two schools' switches."""
    arrow = find_arrow(event, side)
    if arrow is None:
        return _NOT_POSSIBLE
    return None if arrow.condition is None or arrow.condition.holds(side, now) else arrow.condition.refusal


def list_open_events(side: TransferSide, *, now: datetime) -> list[Event]:
    """Return the events a school may cause on one of its sides, most expected first."""
    mine = dict.fromkeys(each.event for each in TABLE if each.by is side.direction)
    return [event for event in mine if find_refusal(event, side, now=now) is None]


def check_event(session: Session, event: Event, side: TransferSide, *, now: datetime) -> None:
    """Raise unless an event may happen now to a side, in a platform session.

    Called before a page is shown, and by the operation under the locks. Raises `NotNow`; `TransfersOff` if the event
    copies and one of the two schools has transfers switched off; `NoSuchTransfer` if a run deleted the side meanwhile.
    """
    refusal = find_refusal(event, side, now=now)
    if refusal is not None:
        raise NotNow(refusal)
    if event.needs_both_switches:
        _check_switches(session, side)


def _check_switches(session: Session, side: TransferSide) -> None:
    transfer = session.get(Transfer, side.transfer_id)
    if transfer is None:
        raise NoSuchTransfer
    other_id = transfer.source_id if side.direction is Direction.DESTINATION else transfer.destination_id
    if not session.get_one(Establishment, side.establishment_id).transfers_enabled:
        raise TransfersOff
    if not session.get_one(Establishment, other_id).transfers_enabled:
        raise TransfersOff(side.other_school)
