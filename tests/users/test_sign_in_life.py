"""A sign-in on a trusted device: up to thirty days, never idle for longer than any other, and over with the trust."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from cpro.config import INACTIVITY_LIMIT, SIGN_IN_LIFE, TRUSTED_DEVICE_LIFE
from cpro.core import clock
from cpro.core.transactions import platform_unit_of_work
from cpro.users.models import Account
from cpro.users.operations.sign_ins import end_all_sign_ins
from cpro.users.sign_in_models import SignIn
from tests.factories import PASSWORD
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.phone import CODE, NEXT, PAGE, Phone
from tests.users.conftest import Desk

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
NEW = {"password": "Grès-vif-42-marne!", "password_confirm": "Grès-vif-42-marne!"}
SESSIONS, OWN = "/mon-compte/sessions", "/mon-compte"
SECOND = timedelta(seconds=1)
As = Callable[..., Browser]


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def phone(app: Flask, as_: As, clock_: time_machine.Traveller) -> Phone:
    return Phone(app, as_("head"), clock_)


@pytest.fixture
def own(phone: Phone) -> Browser:
    """Return the browser of one who ticked the box."""
    browser = phone.give_password()
    assert browser.post(CODE, {"code": phone.code(), "trust": "y"}).status_code == 303
    return browser


def is_in(browser: Browser) -> bool:
    return browser.get(OWN).status_code == 200


def seen_in(app: Flask, length: timedelta) -> None:
    """Let time pass while every open browser is used."""
    with (
        time_machine.travel(clock.utcnow() + length, tick=False),
        app.app_context(),
        platform_unit_of_work("t") as work,
    ):
        for each in work.session.query(SignIn):
            each.last_seen_at = clock.utcnow()


def work_for(phone: Phone, length: timedelta) -> None:
    """Let time pass in the browsers, all used until the end."""
    seen_in(phone.app, length)
    phone.clock.shift(length)


class TestLife:
    @pytest.mark.parametrize(
        ("length", "is_open"),
        [(SIGN_IN_LIFE + SECOND, True), (TRUSTED_DEVICE_LIFE, True), (TRUSTED_DEVICE_LIFE + SECOND, False)],
    )
    def test_life_is_thirty_days_where_the_box_was_ticked(
        self, phone: Phone, own: Browser, length: timedelta, is_open: bool
    ) -> None:
        work_for(phone, length)

        assert is_in(own) is is_open

    def test_life_is_twelve_hours_where_it_was_not(self, phone: Phone) -> None:
        browser = phone.give_password()
        browser.post(CODE, {"code": phone.code()})
        work_for(phone, SIGN_IN_LIFE + SECOND)

        assert not is_in(browser)

    def test_life_idle_is_as_short_as_anywhere(self, phone: Phone, own: Browser) -> None:
        phone.clock.shift(INACTIVITY_LIMIT + SECOND)

        assert not is_in(own)

    @pytest.mark.parametrize(
        ("trusted_for", "left"),
        [
            (timedelta(days=10), timedelta(days=20)),
            (TRUSTED_DEVICE_LIFE - timedelta(hours=1), SIGN_IN_LIFE),
        ],
    )
    def test_life_of_a_later_sign_in_ends_with_the_trust_or_after_twelve_hours(
        self, phone: Phone, own: Browser, trusted_for: timedelta, left: timedelta
    ) -> None:
        own.post("/deconnexion")
        phone.clock.shift(trusted_for)
        own.sign_in("alpha", "claude.basalte", PASSWORD)
        work_for(phone, left)
        assert is_in(own)

        work_for(phone, SECOND)
        assert not is_in(own)

    def test_life_of_another_person_of_the_same_browser_is_twelve_hours(self, phone: Phone, own: Browser) -> None:
        own.post("/deconnexion")
        own.sign_in("alpha", "ines.quartz", PASSWORD)
        work_for(phone, SIGN_IN_LIFE + SECOND)

        assert not is_in(own)

    def test_life_what_is_left_is_kept_when_others_sign_in(self, phone: Phone, own: Browser, as_: As) -> None:
        work_for(phone, timedelta(days=3))
        as_("teacher")  # sweeps what is over

        assert is_in(own)


class TestTrustWithdrawn:
    @pytest.mark.parametrize("act", [OWN, f"{SESSIONS}/terminer-les-autres"])
    def test_trust_withdrawn_from_another_browser_ends_it_at_once(self, phone: Phone, own: Browser, act: str) -> None:
        assert phone.browser.post(act, {"current_password": PASSWORD, **NEW}).status_code == 303

        assert not is_in(own)

    def test_trust_withdrawn_by_ending_that_session_ends_it_at_once(
        self, phone: Phone, own: Browser, desk: Desk
    ) -> None:
        [trusted] = [each for each in desk.rows(SignIn) if each.trusted_until]
        assert phone.browser.post(f"{SESSIONS}/{trusted.id}/terminer").status_code == 303

        assert not is_in(own)

    @pytest.mark.parametrize(
        ("address", "code_again"), [(OWN, False), (f"{SESSIONS}/terminer-les-autres", False), (f"{PAGE}/retirer", True)]
    )
    def test_trust_withdrawn_in_the_same_browser_leaves_twelve_hours(
        self, phone: Phone, own: Browser, desk: Desk, address: str, code_again: bool
    ) -> None:
        phone.clock.shift(NEXT)
        own.get(OWN)
        if code_again:
            own.post("/mon-compte/code", {"code": phone.code()})
        assert own.post(address, {"current_password": PASSWORD, **NEW}).status_code == 303
        assert is_in(own)
        assert {each.trusted_until for each in desk.rows(SignIn)} == {None}
        work_for(phone, SIGN_IN_LIFE)

        assert not is_in(own)

    def test_trust_withdrawn_after_a_day_signs_out(self, phone: Phone, own: Browser) -> None:
        work_for(phone, timedelta(days=1))
        own.get(OWN)
        assert own.post(OWN, {"current_password": PASSWORD, **NEW}).status_code == 303

        assert not is_in(own)
        assert own.sign_in("alpha", "claude.basalte", NEW["password"]).location == CODE

    def test_trust_withdrawn_by_disabling_the_account(self, phone: Phone, own: Browser, desk: Desk) -> None:
        with phone.app.app_context(), platform_unit_of_work("test") as work:
            account = work.session.get_one(Account, desk.account("head").id)
            account.is_active = False

        assert not is_in(own)

    def test_trust_withdrawn_with_every_session(self, phone: Phone, own: Browser, desk: Desk) -> None:
        with phone.app.app_context(), platform_unit_of_work("test") as work:
            end_all_sign_ins(work.session, work.session.get_one(Account, desk.account("head").id))

        assert not is_in(own)


class TestTold:
    def test_told_before_the_box_is_ticked(self, phone: Phone) -> None:
        told = Page(phone.give_password().get(CODE)).text

        assert "Ne plus demander de code sur cet appareil pendant 30 jours" in told
        assert "au lieu de 12 heures ; elle prend toujours fin après 30 minutes sans activité" in told

    def test_told_on_the_pages_of_a_session(self, phone: Phone, own: Browser) -> None:
        assert "Une session dure au plus 30 jours sur un appareil de confiance" in own.get(OWN).text
        assert "Une session dure au plus 12 heures" in phone.browser.get(OWN).text

        shown = Page(own.get(SESSIONS)).text
        assert "04/11/2026" in shown
        assert "appareil de confiance" in shown
