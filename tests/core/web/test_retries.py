"""A request that PostgreSQL undid is played again: three times in all, and never after something was committed."""

from __future__ import annotations

from collections.abc import Callable

import psycopg.errors
import pytest
from flask import flash, g, get_flashed_messages, request
from sqlalchemy.exc import IntegrityError, OperationalError

from cpro.core import transactions
from cpro.core.web.retries import RetryingFlask

pytestmark = pytest.mark.unit

DEADLOCK = OperationalError("UPDATE account", {}, psycopg.errors.DeadlockDetected())
SERIALISATION = OperationalError("UPDATE account", {}, psycopg.errors.SerializationFailure())
TAKEN = IntegrityError("INSERT", {}, psycopg.errors.UniqueViolation())


@pytest.fixture
def answer() -> Callable[..., list[str]]:
    """Return a function that posts to a view which fails with each of some errors, then answers."""

    def post(*errors: Exception, commits: int = 0) -> list[str]:
        app, read, left = RetryingFlask("retried"), [], list(errors)
        app.testing, app.secret_key = True, "test"

        @app.post("/")
        def view() -> str:
            read.append(request.form["typed"])
            assert "seen" not in g, "a view called again starts afresh"
            g.seen = True
            flash("done once")
            transactions._last.commits = transactions.count_commits() + commits
            if left:
                raise left.pop(0)
            assert get_flashed_messages() == ["done once"]
            return "done"

        assert app.test_client().post("/", data={"typed": "Zoé"}).text == "done"
        return read

    return post


class TestRetries:
    @pytest.mark.parametrize("error", [DEADLOCK, SERIALISATION])
    def test_retries_what_was_undone_is_played_again_with_what_was_typed(
        self, answer: Callable[..., list[str]], error: Exception
    ) -> None:
        assert answer(error) == ["Zoé", "Zoé"]
        assert answer(error, error) == ["Zoé"] * 3

    def test_retries_end_after_three_times(self, answer: Callable[..., list[str]]) -> None:
        with pytest.raises(OperationalError):
            answer(DEADLOCK, DEADLOCK, DEADLOCK)

    def test_retries_nothing_that_committed_is_played_twice(self, answer: Callable[..., list[str]]) -> None:
        with pytest.raises(OperationalError):
            answer(DEADLOCK, commits=1)

    def test_retries_a_defect_is_no_deadlock(self, answer: Callable[..., list[str]]) -> None:
        with pytest.raises(IntegrityError):
            answer(TAKEN)
