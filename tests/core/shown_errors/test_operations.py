"""What an error page showed is found by its number, holds nothing typed, and is forgotten after thirty days."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.clock import utcnow
from cpro.core.permissions import public
from cpro.core.shown_errors.models import ShownError
from cpro.core.shown_errors.operations import LIMIT, keep_error, sweep
from cpro.core.shown_errors.queries import find_error
from tests.factories import World
from tests.helpers.browser import Browser

Look = Callable[[], AbstractContextManager[Session]]


def number_of(page: str) -> str:
    found = re.search(r"Code à citer.*?([0-9a-f]{12})", page, re.DOTALL)
    assert found, "the page gives no number"
    return found[1]


class TestKeepError:
    @pytest.mark.parametrize(
        ("path", "status", "route", "cause"),
        [
            ("/admin/parametres/modules?secret=1", 403, "GET /admin/parametres/modules", "Forbidden"),
            ("/eleves/999?secret=1", 404, "GET /eleves/999", "NotFound"),
            ("/rien/du/tout", 404, "GET /rien/du/tout", "NotFound"),
            ("/rien/1234567890A", 404, "GET /rien/••••••••90A", "NotFound"),
            ("/adresse/jeton-secret", 404, "GET /adresse/<string:token>", "NotFound"),
        ],
    )
    def test_keep_error_of_somebody_signed_in(
        self, as_: Callable[..., Browser], world: World, platform: Look, path: str, status: int, route: str, cause: str
    ) -> None:
        number = number_of(as_("teacher").get(path).text)

        with platform() as session:
            kept = find_error(session, f" {number[:6]} {number[6:].upper()} ")
            assert kept is not None
            for cited in (f"{status} – {number}", f"{status} {number}", f"Code à citer : {status} – {number}."):
                assert find_error(session, cited) is kept
            assert find_error(session, f"1{number}") is None
            assert (kept.status, kept.route, kept.cause) == (status, route, cause)
            assert kept.account == f"account:{world.a.account_ids['teacher']}"
            assert kept.school_id == world.a.id

    def test_keep_error_of_a_breakdown_whoever_meets_it(
        self, app: Flask, browser: Callable[[], Browser], platform: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        monkeypatch.setitem(app.view_functions, "pages.robots", _break)

        answer = browser().get("/robots.txt")

        assert answer.status_code == 500
        with platform() as session:
            kept = find_error(session, number_of(answer.text))
            assert kept is not None
            assert (kept.status, kept.cause, kept.account) == (500, "ZeroDivisionError", "")

    def test_keep_error_leaves_out_what_guests_look_for_in_vain(
        self, browser: Callable[[], Browser], world: World, platform: Look
    ) -> None:
        browser().get("/wp-login.php")

        with platform() as session:
            assert session.scalar(select(ShownError).limit(1)) is None

    def test_keep_error_keeps_so_many_a_day_of_one_account_and_a_breakdown_among_refusals(
        self, world: World, arrange: Look
    ) -> None:
        now = utcnow()

        def keep(session: Session, rank: int, *, status: int = 404, account: str = "account:1", days: int = 0) -> bool:
            number = f"{rank:012x}"
            about = {"status": status, "cause": "NotFound", "route": "GET", "account": account, "school_id": None}
            keep_error(session, number, **about, now=now + timedelta(days=days))  # type: ignore[arg-type]
            return session.get(ShownError, number) is not None

        with arrange() as session:
            assert all(keep(session, rank) for rank in range(LIMIT.most))
            assert not keep(session, 1001)
            assert keep(session, 1002, status=500)
            assert keep(session, 1003, account="account:2")
            assert keep(session, 1004, days=1)

    def test_keep_error_is_forgotten_after_thirty_days(self, world: World, arrange: Look) -> None:
        now = utcnow()
        with arrange() as session:
            for number, days in (("a" * 12, 31), ("b" * 12, 29)):
                keep_error(
                    session,
                    number,
                    status=500,
                    cause="KeyError",
                    route="GET /",
                    account="",
                    school_id=None,
                    now=now - timedelta(days=days),
                )
        with arrange() as session:
            assert sweep(session, now=now) == 1
            assert find_error(session, "a" * 12) is None
            assert find_error(session, "b" * 12) is not None


@public
def _break() -> str:
    return str(1 // 0)
