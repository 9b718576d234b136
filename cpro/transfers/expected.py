"""What the run after activating transfers will copy, shown to the school that activated them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.transfers import matching
from cpro.transfers.models import Direction, Transfer, TransferState
from cpro.transfers.pairs import Pair


@dataclass(frozen=True)
class Expected:
    """How many pupils of the school go in each direction, and the other school, which copies name to both."""

    direction: Direction
    other_name: str
    other_uai: str
    pupils: int


def list_expected(establishment_id: int, *, since: datetime) -> list[Expected]:
    """Return what a school that activated transfers at `since` receives and sends in the following run.

    Call it after the switch is committed: the run may have begun, so what it already copied is counted too. It is never
    called before the switch: the number would tell a school about pupils of others that it may not see (decision 0009).
    """
    with tenancy.platform_session("transfers: what the switch copies") as session:
        pending = matching.find_pairs(session, establishment_id=establishment_id)
        judged = matching.judge(session, pending, now=since)
        pairs = {each.pair for each in judged if each.state is TransferState.DONE and each.changes_something}
        pairs |= _list_copied(session, establishment_id, since)
        counts = Counter(
            (Direction.DESTINATION, pair.source_id)
            if pair.destination_id == establishment_id
            else (Direction.SOURCE, pair.destination_id)
            for pair in pairs
        )
        schools = matching.load_schools(session, {other for _way, other in counts})
    found = [Expected(way, schools[id_].name, schools[id_].uai or "", count) for (way, id_), count in counts.items()]
    return sorted(found, key=lambda each: (each.direction.value, each.other_name, each.other_uai))


def _list_copied(session: Session, establishment_id: int, since: datetime) -> set[Pair]:
    columns = [getattr(Transfer, name) for name in Pair._fields]
    of_school = or_(Transfer.source_id == establishment_id, Transfer.destination_id == establishment_id)
    rows = session.execute(select(*columns).where(of_school, Transfer.is_current, Transfer.done_at >= since))
    return {Pair._make(row) for row in rows}
