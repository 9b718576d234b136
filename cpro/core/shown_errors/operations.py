"""Keep what an error page showed, and forget it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cpro.core.shown_errors.models import ShownError

_KEPT = timedelta(days=30)
_DAY = timedelta(days=1)
#: Pages kept of one account in a day, refusals and breakdowns each: past them, nobody fills the table with a loop.
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
    """Keep an error page under the number of its request; in a platform unit of work.

    Past `MOST_A_DAY` of one account in twenty-four hours, of a kind, nothing more is kept: the log has them all.
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
    """Return how many pages are kept of an account since an instant, counted up to the most."""
    is_of_kind = ShownError.status >= _BREAKDOWN if is_breakdown else ShownError.status < _BREAKDOWN
    kept = select(ShownError.number).where(ShownError.at > since, ShownError.account == account, is_of_kind)
    return session.scalar(select(func.count()).select_from(kept.limit(MOST_A_DAY).subquery())) or 0


def sweep(session: Session, *, now: datetime) -> int:
    """Forget the error pages of more than thirty days ago; return how many."""
    forgotten = session.scalars(delete(ShownError).where(ShownError.at < now - _KEPT).returning(ShownError.number))
    return len(forgotten.all())
