"""Guessing is slowed down, and nobody who knows their password is kept out by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from sqlalchemy import inspect, select
from werkzeug.test import TestResponse

from cpro.core.tenancy import platform_session
from cpro.extensions import db
from cpro.users.sign_in_models import FailureCounter
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.users.conftest import Desk, shown

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
REFUSED, WAIT, LET_IN = 422, 429, 303
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def attempt(app: Flask, world: World) -> Callable[..., TestResponse]:
    """Return a maker of attempts, each from a fresh browser unless one is given."""

    def sign_in(
        login: str = "alix.granite",
        password: str = "faux",
        *,
        school: str = "alpha",
        address: str = HOME,
        browser: Browser | None = None,
    ) -> TestResponse:
        return (browser or Browser(app)).sign_in(school, login, password, environ_base={"REMOTE_ADDR": address})

    return sign_in


@pytest.fixture
def clock_() -> time_machine.Traveller:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


class TestAccountCounter:
    def test_account_throttle_four_failures_cost_nothing(self, attempt: Callable[..., TestResponse]) -> None:
        assert [attempt().status_code for _ in range(4)] == [REFUSED] * 4

        assert attempt(password=PASSWORD).status_code == LET_IN

    @pytest.mark.parametrize("login", ["alix.granite", "personne.inconnue"])
    def test_account_throttle_from_the_fifth_on_the_delay_grows_until_a_block(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller, login: str
    ) -> None:
        for _ in range(4):
            attempt(login)
        delays = []

        for _ in range(6):
            assert attempt(login).status_code == REFUSED
            refused = attempt(login)
            assert refused.status_code == WAIT
            delays.append(int(refused.headers["Retry-After"]))
            clock_.shift(timedelta(seconds=delays[-1] - 1))
            assert attempt(login).status_code == WAIT
            clock_.shift(timedelta(seconds=1))

        assert delays == [5, 10, 20, 40, 80, 900]

    def test_account_throttle_the_right_password_waits_too_on_an_unknown_browser(
        self, attempt: Callable[..., TestResponse]
    ) -> None:
        for _ in range(5):
            attempt()

        answer = attempt(password=PASSWORD)

        assert answer.status_code == WAIT
        assert "Trop d’essais" in answer.text

    def test_account_throttle_invisible_signs_make_no_other_account(self, attempt: Callable[..., TestResponse]) -> None:
        for number in range(5):
            assert attempt("alix.granite" + "\u200b" * number).status_code == REFUSED

        assert attempt("alix.granite\u2060").status_code == WAIT

    def test_account_throttle_waiting_looks_the_same_for_an_account_that_does_not_exist(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller
    ) -> None:
        for _ in range(5):
            attempt()
            attempt("personne.inconnue", school="nulle-part")

        real, imagined = attempt(), attempt("personne.inconnue", school="nulle-part")

        assert (real.status_code, shown(real)) == (imagined.status_code, shown(imagined))
        assert real.headers["Retry-After"] == imagined.headers["Retry-After"]

    def test_account_throttle_an_attempt_refused_for_waiting_computes_no_hash_and_counts_nothing(
        self, attempt: Callable[..., TestResponse], desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(5):
            attempt()
        before = sorted(row.failures for row in desk.rows(FailureCounter))
        monkeypatch.setattr("argon2.PasswordHasher.verify", lambda *_: pytest.fail("a hash was computed"))

        for _ in range(3):
            assert attempt().status_code == WAIT

        assert sorted(row.failures for row in desk.rows(FailureCounter)) == before

    def test_account_throttle_a_success_starts_the_account_afresh(
        self, attempt: Callable[..., TestResponse], desk: Desk
    ) -> None:
        for _ in range(2):
            assert [attempt().status_code for _ in range(4)] == [REFUSED] * 4
            assert attempt(password=PASSWORD).status_code == LET_IN

        assert [round(row.failures) for row in desk.rows(FailureCounter)] == [8], "the address keeps its own count"

    def test_account_throttle_the_block_ends_and_failures_are_forgotten_one_by_one(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller
    ) -> None:
        for _ in range(10):
            attempt()
            clock_.shift(timedelta(seconds=90))
        assert attempt(password=PASSWORD).status_code == WAIT

        clock_.shift(timedelta(minutes=15))
        assert attempt().status_code == REFUSED
        assert attempt(password=PASSWORD).status_code == WAIT, "one more failure makes wait again"
        clock_.shift(timedelta(hours=1))
        assert attempt().status_code == REFUSED
        assert attempt(password=PASSWORD).status_code == WAIT, "an hour forgets four of nine"
        clock_.shift(timedelta(hours=1, minutes=31))

        assert [attempt().status_code for _ in range(4)] == [REFUSED] * 4
        assert attempt(password=PASSWORD).status_code == LET_IN

    @pytest.mark.parametrize("back", [timedelta(minutes=1), timedelta(days=1)])
    def test_account_throttle_a_clock_set_back_keeps_nobody_waiting_longer(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller, back: timedelta
    ) -> None:
        for _ in range(5):
            attempt()
        clock_.shift(-back)

        assert int(attempt(password=PASSWORD).headers["Retry-After"]) == 5
        assert attempt(password=PASSWORD, address=ELSEWHERE).status_code == WAIT, "it is no way round either"

    def test_account_throttle_code_and_uai_in_any_spelling_are_one_counter(
        self, attempt: Callable[..., TestResponse]
    ) -> None:
        for school, login in (
            ("alpha", "alix.granite"),
            ("ALPHA ", "Alix.Granite"),
            ("0999001W", "alix.granite "),
            ("0999001w", "ALIX.GRANITE"),
            (" alpha", " alix.granite"),
        ):
            assert attempt(login, school=school).status_code == REFUSED

        assert attempt(school="0999001W").status_code == WAIT
        assert attempt(school="alpha").status_code == WAIT

    def test_account_throttle_the_same_login_of_another_school_does_not_wait(
        self, attempt: Callable[..., TestResponse]
    ) -> None:
        for _ in range(5):
            attempt()

        assert attempt(password=PASSWORD, school="beta").status_code == LET_IN

    def test_account_throttle_guessing_codes_and_guessing_passwords_are_one_counter(
        self, attempt: Callable[..., TestResponse], browser: Callable[[], Browser]
    ) -> None:
        guess = {
            "establishment": "alpha",
            "login": "alix.granite",
            "code": "AAAA-AAAA-AAAA",
            "password": PASSWORD,
            "password_confirm": PASSWORD,
        }
        for _ in range(5):
            guesser = browser()
            guesser.get("/activation")
            assert guesser.post("/activation", guess).status_code == REFUSED

        waiting = guesser.post("/activation", guess)

        assert waiting.status_code == WAIT
        assert int(waiting.headers["Retry-After"]) <= 5
        assert attempt(password=PASSWORD).status_code == WAIT

    def test_account_throttle_counters_keep_no_name_and_no_address_in_clear(
        self, attempt: Callable[..., TestResponse], desk: Desk
    ) -> None:
        attempt("personne.inconnue", school="nulle-part")

        keys = [row.key for row in desk.rows(FailureCounter)]
        assert len(keys) == 2
        assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)
        assert {column.key for column in inspect(FailureCounter).columns} == {"key", "failures", "last_failure_at"}


class TestReserveAttempt:
    def test_reserve_attempt_are_all_counted(self, app: Flask, world: World, desk: Desk) -> None:
        """Twelve at once, as real threads on real connections: five are judged, the others wait."""
        browsers = [Browser(app) for _ in range(12)]
        for each in browsers:
            each.get("/connexion")
        together = Barrier(len(browsers))

        def guess(browser: Browser) -> int:
            together.wait()
            fields = {"establishment": "alpha", "login": "alix.granite", "password": "faux"}
            return browser.post("/connexion", fields).status_code

        with ThreadPoolExecutor(len(browsers)) as pool:
            statuses = sorted(pool.map(guess, browsers))

        assert statuses == [REFUSED] * 5 + [WAIT] * 7
        assert {round(row.failures) for row in desk.rows(FailureCounter)} == {5}

    def test_reserve_attempt_right_passwords_at_the_same_moment_all_pass(self, app: Flask, world: World) -> None:
        people = [(school, login) for school in ("alpha", "beta") for login in world.logins.values()]
        browsers = [Browser(app) for _ in people]
        for each in browsers:
            each.get("/connexion")
        together = Barrier(len(people))

        def sign_in(who: tuple[Browser, tuple[str, str]]) -> int:
            browser, (school, login) = who
            together.wait()
            return browser.post(
                "/connexion", {"establishment": school, "login": login, "password": PASSWORD}
            ).status_code

        with ThreadPoolExecutor(len(people)) as pool:
            statuses = list(pool.map(sign_in, zip(browsers, people, strict=True)))

        assert statuses == [LET_IN] * len(people)
        with app.app_context(), platform_session("test") as session:
            assert session.scalars(select(FailureCounter)).all() == []
            db.session.remove()


class TestAddressCounter:
    def test_address_counter_a_whole_school_behind_one_address_still_signs_in(
        self, attempt: Callable[..., TestResponse]
    ) -> None:
        for number in range(30):
            assert attempt(f"eleve.numero{number}").status_code == REFUSED

        assert attempt("noe.agate", PASSWORD).status_code == LET_IN

    def test_address_counter_a_typo_every_eight_minutes_keeps_nobody_out(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller
    ) -> None:
        for number in range(60):
            assert attempt(f"eleve.numero{number}").status_code == REFUSED
            clock_.shift(timedelta(minutes=8))

        assert [attempt(password="faute").status_code for _ in range(4)] == [REFUSED] * 4
        assert attempt(password=PASSWORD).status_code == LET_IN

    def test_address_counter_the_right_password_passes_whatever_fails_behind_the_same_address(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller
    ) -> None:
        for number in range(120):
            assert attempt(f"eleve.numero{number}").status_code == REFUSED

        assert attempt("noe.agate", PASSWORD).status_code == LET_IN
        assert attempt(password=PASSWORD).status_code == LET_IN

    def test_address_counter_an_address_that_tries_many_accounts_has_one_try_at_each(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller
    ) -> None:
        for number in range(40):
            attempt(f"eleve.numero{number}")

        assert attempt("noe.agate").status_code == REFUSED
        assert attempt("noe.agate", PASSWORD).status_code == WAIT
        clock_.shift(timedelta(seconds=5))
        assert attempt("noe.agate", PASSWORD).status_code == LET_IN

    def test_address_counter_is_forgotten_in_time(
        self, attempt: Callable[..., TestResponse], clock_: time_machine.Traveller
    ) -> None:
        for number in range(120):
            attempt(f"eleve.numero{number}")
        for _ in range(2):  # as many as are forgotten meanwhile
            clock_.shift(timedelta(minutes=50))
            attempt("eleve.encore")

        assert [attempt("noe.agate").status_code for _ in range(4)] == [REFUSED] * 4

    def test_address_counter_one_success_does_not_wash_the_address(
        self, attempt: Callable[..., TestResponse], desk: Desk
    ) -> None:
        for number in range(3):
            attempt(f"eleve.numero{number}")
        assert attempt("noe.agate", PASSWORD).status_code == LET_IN

        assert max(round(row.failures) for row in desk.rows(FailureCounter)) == 3

    def test_address_counter_a_header_does_not_change_the_address(self, app: Flask, world: World, desk: Desk) -> None:
        """Without a proxy declared, X-Forwarded-For is what anybody writes."""
        for number in range(3):
            Browser(app).sign_in(
                "alpha", f"eleve.n{number}", "faux", headers={"X-Forwarded-For": f"203.0.113.{number}"}
            )

        assert max(round(row.failures) for row in desk.rows(FailureCounter)) == 3


class TestIsTrusted:
    def test_is_trusted_is_never_kept_out_by_strangers(self, app: Flask, attempt: Callable[..., TestResponse]) -> None:
        own = Browser(app)
        assert attempt(password=PASSWORD, browser=own).status_code == LET_IN
        own.post("/deconnexion")
        while attempt(address=ELSEWHERE).status_code != WAIT:
            pass
        assert attempt(password=PASSWORD, address=ELSEWHERE).status_code == WAIT

        assert attempt(password=PASSWORD, browser=own).status_code == LET_IN

    def test_is_trusted_is_known_under_the_uai_as_under_the_code(
        self, app: Flask, attempt: Callable[..., TestResponse]
    ) -> None:
        own = Browser(app)
        attempt(password=PASSWORD, browser=own, school="0999001w")
        own.post("/deconnexion")
        for _ in range(6):
            attempt(address=ELSEWHERE)

        assert attempt(password=PASSWORD, browser=own, school="ALPHA").status_code == LET_IN

    def test_is_trusted_becomes_a_stranger_after_ten_failures_of_its_own(
        self, app: Flask, attempt: Callable[..., TestResponse]
    ) -> None:
        own = Browser(app)
        attempt(password=PASSWORD, browser=own)
        own.post("/deconnexion")

        statuses = [attempt(browser=own).status_code for _ in range(16)]

        assert statuses == [REFUSED] * 15 + [WAIT]

    def test_is_trusted_is_known_to_its_own_account_only(
        self, app: Flask, attempt: Callable[..., TestResponse]
    ) -> None:
        own = Browser(app)
        attempt(password=PASSWORD, browser=own)
        own.post("/deconnexion")
        for _ in range(5):
            attempt("claude.basalte", address=ELSEWHERE)

        assert attempt("claude.basalte", PASSWORD, browser=own).status_code == WAIT

    @pytest.mark.parametrize("forged", ["", "x", "eyJhIjoiYiJ9.x", "W10.AAAA"])
    def test_is_trusted_a_forged_mark_is_no_mark(
        self, app: Flask, attempt: Callable[..., TestResponse], forged: str
    ) -> None:
        for _ in range(5):
            attempt()
        forger = Browser(app)
        forger.client.set_cookie("cpro_browser", forged, path="/connexion")

        assert attempt(password=PASSWORD, browser=forger).status_code == WAIT
