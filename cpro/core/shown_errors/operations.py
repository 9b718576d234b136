"""Record the error pages shown, and delete old ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from cpro.core.rate_limits import DAY, RateLimit
from cpro.core.shown_errors.models import ShownError

_KEPT = timedelta(days=30)
#: The pages recorded of an account, refusals and failures each: a loop of requests cannot fill the table.
LIMIT = RateLimit(100, DAY)
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

    Beyond `LIMIT` of a kind for one account, nothing more is recorded: the log has them all.
    """
    if LIMIT.is_reached(session, _select_times(account, is_breakdown=status >= _BREAKDOWN), now=now):
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


def _select_times(account: str, *, is_breakdown: bool) -> Select[datetime]:
    is_of_kind = ShownError.status >= _BREAKDOWN if is_breakdown else ShownError.status < _BREAKDOWN
    return select(ShownError.at).where(ShownError.account == account, is_of_kind)


def sweep(session: Session, *, now: datetime) -> int:
    """Delete the error pages older than thirty days; return how many."""
    forgotten = session.scalars(delete(ShownError).where(ShownError.at < now - _KEPT).returning(ShownError.number))
    return len(forgotten.all())
