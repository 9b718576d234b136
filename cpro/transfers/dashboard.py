"""What the dashboard shows of the school's transfers: what waits for it, its first transfers, the months.

Reads its own sides only, under the ordinary filter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import and_, case, func, select

from cpro.extensions import db
from cpro.transfers.lifecycle import PENDING
from cpro.transfers.models import Direction, TransferSide, TransferState


@dataclass(frozen=True)
class ToDecide:
    """How many transfers wait for the school, by what they wait for."""

    conflicts: int
    agreements: int
    offers: int
    blocked: int


@dataclass(frozen=True)
class FirstTransfer:
    """The first transfer between the school and another one."""

    side_id: int
    other_name: str
    other_uai: str
    done_at: datetime


def count_to_decide() -> ToDecide:
    """Return what waits for the school, in one statement."""
    counts: Counter[tuple[str, str]] = Counter()
    for direction, state, count in db.session.execute(
        select(TransferSide.direction_value, TransferSide.state_value, func.count())
        .where(TransferSide.state_value.in_([state.value for state in PENDING]))
        .group_by(TransferSide.direction_value, TransferSide.state_value)
    ):
        counts[direction, state] = count
    return ToDecide(
        conflicts=counts[Direction.DESTINATION.value, TransferState.CONFLICT.value],
        agreements=counts[Direction.SOURCE.value, TransferState.AGREEMENT.value],
        offers=counts[Direction.DESTINATION.value, TransferState.OFFERED.value],
        blocked=sum(
            counts[direction.value, state.value]
            for direction in Direction
            for state in (TransferState.TWINS, TransferState.BLOCKED)
        ),
    )


def list_first_transfers(since: datetime, *, limit: int) -> Sequence[FirstTransfer]:
    """Return the first transfer with each school met since an instant, the latest first."""
    first = (
        select(func.min(TransferSide.id).label("id"))
        .where(TransferSide.done_at.is_not(None))
        .group_by(TransferSide.other_uai, TransferSide.other_name)
        .subquery()
    )
    rows = db.session.execute(
        select(TransferSide.id, TransferSide.other_name, TransferSide.other_uai, TransferSide.done_at)
        .join(first, first.c.id == TransferSide.id)
        .where(TransferSide.done_at >= since)
        .order_by(TransferSide.done_at.desc(), TransferSide.id)
        .limit(limit)
    )
    return [FirstTransfer(id_, name, uai, done_at) for id_, name, uai, done_at in rows if done_at is not None]


def count_by_month(bounds: Sequence[datetime]) -> list[tuple[int, int]]:
    """Return, for each period between two bounds, how many transfers the school received and how many it sent."""
    sums = []
    for start, end in pairwise(bounds):
        inside = and_(TransferSide.done_at >= start, TransferSide.done_at < end)
        for direction in (Direction.DESTINATION, Direction.SOURCE):
            counted = and_(inside, TransferSide.direction_value == direction.value)
            sums.append(func.coalesce(func.sum(case((counted, 1), else_=0)), 0))
    row = db.session.execute(
        select(*sums)
        .select_from(TransferSide)
        .where(
            TransferSide.state_value == TransferState.DONE.value,
            TransferSide.done_at >= bounds[0],
            TransferSide.done_at < bounds[-1],
        )
    ).one()
    return list(zip(row[::2], row[1::2], strict=True))
