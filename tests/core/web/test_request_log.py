"""The log of requests: by route, school and account; the number that the page and the answer give."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cpro.core.web.request_log import HEADER
from cpro.extensions import db
from tests.factories import World
from tests.helpers.browser import Browser

As = Callable[..., Browser]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """Return the lines of requests that were logged since the last time."""
    caplog.set_level(logging.INFO, logger="cpro.requests")

    def since() -> list[logging.LogRecord]:
        found = [record for record in caplog.records if record.name == "cpro.requests"]
        caplog.clear()
        return found

    return since


class TestRequestLog:
    def test_request_log_tells_who_asked_for_what(
        self, as_: As, world: World, lines: Callable[[], list[logging.LogRecord]]
    ) -> None:
        browser = as_("administrator")
        lines()

        browser.get("/admin/eleves/?search=MARTIN")

        [line] = lines()
        assert (line.method, line.status, line.school) == ("GET", 200, world.a.id)  # type: ignore[attr-defined]
        assert line.account.startswith("account:")  # type: ignore[attr-defined]
        assert line.milliseconds >= 0  # type: ignore[attr-defined]

    def test_request_log_never_holds_what_was_searched_or_opened(
        self, as_: As, lines: Callable[[], list[logging.LogRecord]]
    ) -> None:
        browser = as_("administrator")
        lines()

        browser.get("/admin/eleves/?search=MARTIN")
        browser.get("/verifier/SECRET-CODE")

        told = " ".join(str(vars(line)) for line in lines())
        assert "MARTIN" not in told
        assert "SECRET-CODE" not in told
        assert "/verifier/<" in told

    def test_request_log_of_a_stranger_names_nobody(
        self, browser: Callable[[], Browser], lines: Callable[[], list[logging.LogRecord]]
    ) -> None:
        browser().get("/connexion")

        [line] = lines()
        assert (line.school, line.account) == (None, None)  # type: ignore[attr-defined]

    def test_request_log_files_of_the_interface_are_not_told(
        self, browser: Callable[[], Browser], lines: Callable[[], list[logging.LogRecord]]
    ) -> None:
        browser().get("/static/cpro.css").close()

        assert lines() == []

    def test_request_log_the_number_is_that_of_the_error_page(self, as_: As) -> None:
        browser = as_("administrator")

        first, second = (browser.get("/nulle-part/") for _ in range(2))

        assert first.headers[HEADER] != second.headers[HEADER]
        assert first.headers[HEADER] in first.text

    def test_request_log_a_failure_of_the_database_hides_what_was_written(self, app: Flask) -> None:
        with app.app_context(), db.engine.connect() as connection, pytest.raises(SQLAlchemyError) as failure:
            connection.execute(text("SELECT name FROM nowhere WHERE name = :name"), {"name": "MARTIN"})

        assert "nowhere" in str(failure.value)
        assert "MARTIN" not in str(failure.value)
