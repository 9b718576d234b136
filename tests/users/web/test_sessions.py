"""One's own sign-ins are listed and ended, and nobody else's are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.users.sign_in_models import SignIn
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.users.conftest import Desk

SESSIONS = "/mon-compte/sessions"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0"
START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
As = Callable[..., Browser]


def end_of(page: str) -> list[str]:
    """Return where the buttons « Terminer » post."""
    return re.findall(rf'action="({SESSIONS}/\d+/terminer)"', page)


class TestIndex:
    def test_index_says_the_device_the_address_and_which_one_this_is(
        self, world: World, browser: Callable[[], Browser], as_: As
    ) -> None:
        there = {"User-Agent": FIREFOX}
        browser().sign_in("alpha", "alix.granite", PASSWORD, headers=there, environ_base={"REMOTE_ADDR": "192.0.2.7"})

        shown = as_("administrator").get(SESSIONS)

        assert "Firefox sur Windows" in Page(shown).text
        assert "192.0.2.7" in Page(shown).text
        assert "cette session" in Page(shown).text
        assert len(end_of(shown.text)) == 1, "not this one"

    def test_index_leaves_out_what_expired(self, as_: As) -> None:
        with time_machine.travel(START, tick=False) as clock:
            as_("head")
            clock.shift(timedelta(minutes=20))
            second = as_("head")
            clock.shift(timedelta(minutes=11))

            assert end_of(second.get(SESSIONS).text) == []

    @pytest.mark.parametrize("role", ["support", "inspector"])
    def test_index_opens_outside_any_school(self, as_: As, role: str) -> None:
        as_(role)

        assert len(end_of(as_(role).get(SESSIONS).text)) == 1


class TestEnd:
    def test_end_stops_the_browser_at_its_next_request(self, as_: As, desk: Desk) -> None:
        lost, here = as_("teacher"), as_("teacher")
        [address] = end_of(here.get(SESSIONS).text)

        assert here.post(address).status_code == 303

        assert lost.get("/mon-compte").status_code == 303
        assert here.get("/mon-compte").status_code == 200
        assert [row.action for row in desk.rows(AuditEntry)].count("account:sign-in:ended") == 1

    def test_end_twice_is_said(self, as_: As) -> None:
        as_("teacher")
        here = as_("teacher")
        [address] = end_of(here.get(SESSIONS).text)

        assert [here.post(address).status_code for _ in range(2)] == [303, 404]

    @pytest.mark.parametrize("other", [("head", "a"), ("teacher", "b"), ("support", "a")])
    def test_end_reaches_no_other_account(self, as_: As, desk: Desk, other: tuple[str, str]) -> None:
        victim, thief = as_(*other), as_("teacher")
        row = min(desk.rows(SignIn), key=lambda each: each.id)

        assert thief.post(f"{SESSIONS}/{row.id}/terminer").status_code == 404
        assert victim.get("/mon-compte").status_code == 200

    def test_end_a_platform_account_reaches_no_account_of_the_same_number(
        self, as_: As, desk: Desk, app: Flask
    ) -> None:
        people = [as_(role, school) for school in ("a", "b") for role in ("administrator", "head", "teacher")]
        support = as_("support")

        for row in desk.rows(SignIn):
            if row.account_id:
                assert support.post(f"{SESSIONS}/{row.id}/terminer").status_code == 404
        support.post(f"{SESSIONS}/terminer-les-autres")

        assert {each.get("/mon-compte").status_code for each in people} == {200}


class TestEndOthers:
    def test_end_others_keeps_this_one(self, as_: As, desk: Desk) -> None:
        lost, head, here = as_("teacher"), as_("head"), as_("teacher")

        answer = here.post(f"{SESSIONS}/terminer-les-autres", follow_redirects=True)

        assert "1 autre session terminée." in Page(answer).text
        assert lost.get("/mon-compte").status_code == 303
        assert head.get("/mon-compte").status_code == here.get("/mon-compte").status_code == 200
        line = next(row for row in desk.rows(AuditEntry) if row.action == "account:sign-ins:ended")
        assert line.changes == {"sign_ins": [1, None]}

    def test_end_others_without_any_says_so_and_writes_nothing(self, as_: As, desk: Desk) -> None:
        answer = as_("teacher").post(f"{SESSIONS}/terminer-les-autres", follow_redirects=True)

        assert "Aucune autre session" in Page(answer).text
        assert "account:sign-ins:ended" not in [row.action for row in desk.rows(AuditEntry)]


class TestProlong:
    PROLONG = f"{SESSIONS}/prolonger"
    JSON = {"Accept": "application/json"}

    def test_prolong_keeps_a_session_that_would_have_ended(self, as_: As) -> None:
        with time_machine.travel(START, tick=False) as clock:
            head = as_("head")
            head.get(SESSIONS)
            clock.shift(timedelta(minutes=28))
            left = head.post(self.PROLONG, headers=self.JSON).json
            clock.shift(timedelta(minutes=28))

            assert left == {"idle": 30 * 60, "latest": 12 * 3600 - 28 * 60}
            assert head.get(SESSIONS).status_code == 200

    def test_prolong_never_passes_what_a_sign_in_lasts(self, as_: As) -> None:
        with time_machine.travel(START, tick=False) as clock:
            head = as_("head")
            head.get(SESSIONS)
            for _ in range(25):
                clock.shift(timedelta(minutes=28, seconds=45))
                left = head.post(self.PROLONG, headers=self.JSON).json
            assert left == {"idle": 30 * 60, "latest": 75}
            clock.shift(timedelta(seconds=76))

            assert head.post(self.PROLONG, headers=self.JSON).status_code == 401

    def test_prolong_says_to_a_script_that_the_session_is_over(self, as_: As) -> None:
        with time_machine.travel(START, tick=False) as clock:
            head = as_("head")
            head.get(SESSIONS)
            clock.shift(timedelta(minutes=31))

            assert head.post(self.PROLONG, headers=self.JSON).status_code == 401

    def test_prolong_refuses_who_has_no_token_of_the_page(self, as_: As) -> None:
        head = as_("head")
        head.get(SESSIONS)

        assert head.post(self.PROLONG, token=False, headers=self.JSON).status_code == 403

    def test_index_counts_what_is_left_for_the_warning(self, as_: As, browser: Callable[[], Browser]) -> None:
        with time_machine.travel(START, tick=False) as clock:
            head = as_("head")
            clock.shift(timedelta(hours=0, minutes=29))
            page = head.get(SESSIONS).text

        assert 'data-idle="1800"' in page
        assert f'data-latest="{12 * 3600 - 29 * 60}"' in page
        assert "data-idle" not in browser().get("/connexion").text
