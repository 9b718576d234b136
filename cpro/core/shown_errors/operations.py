"""Record the error pages shown, and delete old ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cpro.core.shown_errors.models import ShownError

_KEPT = timedelta(days=30)
_DAY = timedelta(days=1)
#: Pages recorded per account and day, refusals and failures each: a loop of requests cannot fill the table.
MOST_A_DAY = 100
_BREAKDOWN = 500
_ROUTE_LENGTH, _CAUSE_LENGTH = 200, 100


def keep_error(
    session: Session,
    number: str,
    *,
    status: int,
    cause: str,
    route: str,
    account: str,
    school_id: int | None,
    now: datetime,
) -> None:
    """Record an error page under its request id; in a platform unit of work.

    Beyond `MOST_A_DAY` of a kind for one account in twenty-four hours, nothing more is recorded: the log has them
    all.
    """
    if _count(session, account, is_breakdown=status >= _BREAKDOWN, since=now - _DAY) >= MOST_A_DAY:
        return
    session.add(
        ShownError(
            number=number,
            at=now,
            school_id=school_id,
            account=account,
            route=route[:_ROUTE_LENGTH],
            status=status,
            cause=cause[:_CAUSE_LENGTH],
        )
    )
    session.flush()


def _count(session: Session, account: str, *, is_breakdown: bool, since: datetime) -> int:
    """Return how many pages are recorded for an account since an instant, at most `MOST_A_DAY`."""
    is_of_kind = ShownError.status >= _BREAKDOWN if is_breakdown else ShownError.status < _BREAKDOWN
    kept = select(ShownError.number).where(ShownError.at > since, ShownError.account == account, is_of_kind)
    return session.scalar(select(func.count()).select_from(kept.limit(MOST_A_DAY).subquery())) or 0


def sweep(session: Session, *, now: datetime) -> int:
    """Delete the error pages older than thirty days; return how many."""
    forgotten = session.scalars(delete(ShownError).where(ShownError.at < now - _KEPT).returning(ShownError.number))
    return len(forgotten.all())
