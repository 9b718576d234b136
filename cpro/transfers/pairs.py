"""Two pupils with the same INE, the state of their schools and of their transfer, and the verdict on the pair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from cpro.transfers.identity import Pupil
from cpro.transfers.models import Direction, TransferState

#: States whose sides say whether the identities differ, and whose pupils may still change.
_OPEN = frozenset({TransferState.CONFLICT, TransferState.AGREEMENT})


class Pair(NamedTuple):
    """Two pupils, each by school and id; between twins, the older row takes the source's place."""

    destination_id: int
    destination_student_id: int
    source_id: int
    source_student_id: int


class School(NamedTuple):
    """The data read of a school."""

    id: int
    name: str
    uai: str | None
    transfers_enabled: bool
    uses_siecle: bool


class StoredTransfer(NamedTuple):
    """The current transfer of a pair; `identities_differ` comes from its sides, None if it has none."""

    id: int
    source_student_id: int
    destination_student_id: int | None
    state: TransferState
    is_offer: bool
    departed_on: date | None
    agreed_at: datetime | None
    confirmed_at: datetime | None
    identities_differ: bool | None


@dataclass(frozen=True)
class Verdict:
    """The state that a pair should have, None for no transfer; `over` when the stored transfer is over."""

    pair: Pair
    source: Pupil | None
    destination: Pupil | None
    stored: StoredTransfer | None
    state: TransferState | None
    over: bool = False
    identities_differ: bool = False

    def names_other_to(self, direction: Direction) -> bool:
        """Return whether the school of a direction may see the name of the other.

        The same INE is not enough, for a wrong INE may be anyone's. Where the identities differ, the destination school
        sees the name once the source school agreed, and the source school once it is asked.
        """
        if not self.identities_differ or self.pair.source_id == self.pair.destination_id:
            return True
        if self.stored is None or self.over:
            return False
        answered = self.stored.confirmed_at if direction is Direction.SOURCE else self.stored.agreed_at
        return self.stored.is_offer or answered is not None

    @property
    def changes_something(self) -> bool:
        """Return whether the stored transfer differs from the verdict."""
        if self.over:
            return True
        if self.stored is None:
            return self.state is not None
        if self.state in _OPEN and self.identities_differ != self.stored.identities_differ:
            return True
        return self.state is not self.stored.state
