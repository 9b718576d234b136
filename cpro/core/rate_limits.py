"""Bound how often something may happen: at most so many times within an hour, or a day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select
from sqlalchemy.orm import Session

from cpro.core.errors import DomainError
from cpro.core.formatting import describe_duration

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class LimitReached(DomainError):
    """Raised beyond a rate limit; `seconds` says when the next one is accepted."""

    status = 429

    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.seconds = max(1, math.ceil(wait.total_seconds()))


@dataclass(frozen=True)
class RateLimit:
    """At most `most` times within `per`; what is counted, and for whom, is the statement given to its methods.

    That statement selects one column: the instant of each time that already happened.
    """

    most: int
    per: timedelta = HOUR
    #: the refusal beyond it, in French, with `{wait}` until the next is accepted; empty where what is beyond is only
    #: left out
    sentence: str = ""

    def check(self, session: Session, times: Select[datetime], *, now: datetime) -> None:
        """Raise `LimitReached` if one more would be too many."""
        if wait := self._find_wait(session, times, now):
            raise LimitReached(self.sentence.format(wait=describe_duration(wait)), wait)

    def is_reached(self, session: Session, times: Select[datetime], *, now: datetime) -> bool:
        """Return whether one more would be too many, where the excess is left out without a refusal."""
        return self._find_wait(session, times, now) is not None

    def _find_wait(self, session: Session, times: Select[datetime], now: datetime) -> timedelta | None:
        """Return how long until the earliest of the last `most` leaves the period, or None below the limit."""
        (at,) = times.selected_columns
        last = session.scalars(times.where(at > now - self.per).order_by(at.desc()).limit(self.most)).all()
        return last[-1] + self.per - now if len(last) == self.most else None
