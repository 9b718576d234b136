"""At most so many times within a period, and when the next one is accepted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.formatting import describe_duration
from cpro.core.rate_limits import HOUR, LimitReached, RateLimit
from cpro.problems.models import Problem
from tests.factories import NOW, World, make_problem

Look = Callable[[], AbstractContextManager[Session]]


class TestRateLimit:
    @pytest.mark.parametrize(
        ("minutes_ago", "minutes_to_wait"),
        [([], 0), ([5], 0), ([70, 5], 0), ([60, 5], 0), ([59, 5], 1), ([50, 40, 5], 20), ([0, 0], 60)],
    )
    def test_rate_limit_counts_what_is_within_the_period_and_says_when_the_next_is_accepted(
        self, world: World, arrange: Look, minutes_ago: list[int], minutes_to_wait: int
    ) -> None:
        limit, times = RateLimit(2, HOUR, "Deux par heure, pas plus. Réessayez dans {wait}."), select(Problem.at)
        with arrange() as session:
            session.add_all(make_problem(world.a, at=NOW - timedelta(minutes=each)) for each in minutes_ago)
            session.flush()

            assert limit.is_reached(session, times, now=NOW) is bool(minutes_to_wait)
            with pytest.raises(LimitReached, match="pas plus") if minutes_to_wait else nullcontext() as refused:
                limit.check(session, times, now=NOW)

        if refused:
            assert (refused.value.status, refused.value.seconds) == (429, 60 * minutes_to_wait)
            assert f"dans {describe_duration(timedelta(minutes=minutes_to_wait))}." in refused.value.message
