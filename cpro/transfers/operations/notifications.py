"""Notify the heads of two schools of the first transfer between them by mail; the dashboard shows it too."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.mail import enqueue
from cpro.core.permissions import Actor
from cpro.transfers import messages
from cpro.transfers.matching import load_schools
from cpro.transfers.models import SchoolPair

_PAGE = 500
#: Neither school learns who acted in the other.
_MATCHING = Actor("system", None, "Transferts", "system")


def notify_heads(session: Session, *, between: tuple[int, int] | None = None, now: datetime) -> int:
    """Notify the heads of the schools of new pairs, one message a school, and return how many pairs.

    At most 500 at once, oldest first; `between` names two schools and leaves the others for later.
    """
    statement = select(SchoolPair).where(SchoolPair.notified_at.is_(None)).order_by(SchoolPair.id).limit(_PAGE)
    if between:
        one, other = sorted(between)
        statement = statement.where(SchoolPair.first_id == one, SchoolPair.second_id == other)
    pairs = session.scalars(statement.with_for_update(skip_locked=True)).all()
    others: dict[int, list[int]] = defaultdict(list)
    for pair in pairs:
        pair.notified_at = now
        others[pair.first_id].append(pair.second_id)
        others[pair.second_id].append(pair.first_id)
    session.flush()
    schools, addresses = load_schools(session, list(others)), messages.heads_of(session, list(others))
    for school_id, met in others.items():
        for mail in messages.first_transfers(addresses[school_id], schools[school_id], [schools[each] for each in met]):
            enqueue(mail, by=_MATCHING, now=now, session=session, establishment_id=school_id)
    return len(pairs)
