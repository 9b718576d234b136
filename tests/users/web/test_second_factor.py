"""The second factor: set up, asked at the sign-in, used once, taken off, required of some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pyotp
import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.users.operations import throttle
from cpro.users.sign_in_models import SecondFactor, SignIn
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.phone import AGAIN, CODE, NEXT, PAGE, Phone
from tests.helpers.records import nothing_written
from tests.users.conftest import Desk

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
NEW = {"password": "Grès-vif-42-marne!", "password_confirm": "Grès-vif-42-marne!"}
As = Callable[..., Browser]


def action_of(page: str) -> str:
    """Return where the form of this step posts."""
    found = re.search(rf'action="({PAGE}/(?:commencer|confirmer)[^"]*)"', page)
    assert found, page
    return unescape(found[1])


@pytest.fixture
def clock_() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def phone(app: Flask, as_: As, clock_: time_machine.Traveller) -> Phone:
    return Phone(app, as_("head"), clock_)


class TestSetUp:
    def test_begin_offers_the_key_to_the_application_of_the_telephone_itself(self, as_: As) -> None:
        page = as_("head").post(f"{PAGE}/commencer", {"current_password": PASSWORD}, follow_redirects=True)

        [address] = [link for link in Page(page).links if link.startswith("otpauth:")]
        read = pyotp.parse_uri(address)
        assert isinstance(read, pyotp.TOTP) and read.issuer == "CPro"
        assert " ".join(re.findall("....", read.secret)) in Page(page).text

    def test_set_up_asks_for_the_password_and_a_first_code(
        self, app: Flask, as_: As, clock_: time_machine.Traveller
    ) -> None:
        browser = as_("teacher")
        with nothing_written(app):
            assert browser.post(f"{PAGE}/commencer", {"current_password": "Faux-faux-faux-42!"}).status_code == 422
        browser.post(f"{PAGE}/commencer", {"current_password": PASSWORD})

        assert browser.post(f"{PAGE}/confirmer", {"code": "000000"}).status_code == 422
        assert Browser(app).sign_in("alpha", "ines.quartz", PASSWORD).location == "/", "it does not count yet"

    def test_set_up_begun_in_another_browser_is_neither_shown_nor_confirmed(
        self, app: Flask, as_: As, clock_: time_machine.Traveller
    ) -> None:
        begun = as_("head").post(f"{PAGE}/commencer", {"current_password": PASSWORD}, follow_redirects=True)
        [address] = [link for link in Page(begun).links if link.startswith("otpauth:")]
        known = pyotp.parse_uri(address)
        assert isinstance(known, pyotp.TOTP)
        elsewhere = as_("head")

        assert not any(link.startswith("otpauth:") for link in Page(elsewhere.get(PAGE)).links)
        assert action_of(elsewhere.get(PAGE).text) == f"{PAGE}/commencer"
        code = known.at(START)
        assert elsewhere.post(f"{PAGE}/confirmer", {"code": code}).status_code == 409
        assert Browser(app).sign_in("alpha", "claude.basalte", PASSWORD).location == "/", "it does not count"

    def test_set_up_shows_ten_recovery_codes_this_once(self, phone: Phone, desk: Desk) -> None:
        assert len(set(phone.recovery)) == 10
        assert not any(code in phone.browser.get(PAGE).text for code in phone.recovery)
        assert "account:second-factor:on" in [row.action for row in desk.rows(AuditEntry)]

    def test_set_up_keeps_nothing_in_clear(self, phone: Phone, desk: Desk) -> None:
        [row] = desk.rows(SecondFactor)

        kept = f"{row.secret} {row.recovery}"
        assert phone.secret not in kept
        assert not any(code in kept or code.replace("-", "") in kept for code in phone.recovery)

    def test_set_up_twice_is_refused(self, phone: Phone) -> None:
        assert phone.browser.post(f"{PAGE}/commencer", {"current_password": PASSWORD}).status_code == 409

    @pytest.mark.parametrize("role", ["student", "support", "inspector"])
    def test_set_up_is_offered_to_everybody(
        self, app: Flask, as_: As, clock_: time_machine.Traveller, role: str
    ) -> None:
        assert len(Phone(app, as_(role), clock_).recovery) == 10

    def test_set_up_reaches_no_other_account(self, phone: Phone, as_: As) -> None:
        assert "Activé" not in Page(as_("head", "b").get(PAGE)).text
        assert "Activé" not in Page(as_("teacher").get(PAGE)).text


class TestAsk:
    def test_ask_opens_nothing_before_the_code(self, phone: Phone) -> None:
        browser = phone.give_password()

        assert browser.get("/mon-compte").status_code == 303
        assert browser.get("/admin/").status_code == 303
        answer = browser.post(CODE, {"code": phone.code()})

        assert (answer.status_code, answer.location) == (303, "/")
        assert browser.get("/mon-compte").status_code == 200

    def test_ask_the_token_seen_before_the_code_signs_nobody_in(self, phone: Phone, app: Flask) -> None:
        browser = phone.give_password()
        with browser.client.session_transaction() as content:
            token = content["awaiting_code"][0]
        browser.post(CODE, {"code": phone.code()})
        thief = Browser(app)
        with thief.client.session_transaction() as content:
            content["_user_id"] = token

        assert thief.get("/mon-compte").status_code == 303

    def test_ask_a_code_serves_once(self, phone: Phone) -> None:
        code = phone.code()

        assert phone.try_code(code).status_code == 303
        assert phone.try_code(code).status_code == 422

    @pytest.mark.parametrize(("late", "status"), [(-60, 422), (-30, 303), (30, 303), (60, 422)])
    def test_ask_a_clock_may_be_half_a_minute_wrong(self, phone: Phone, late: int, status: int) -> None:
        phone.clock.shift(timedelta(minutes=5))

        assert phone.try_code(phone.code(timedelta(seconds=late))).status_code == status

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "AAAA-AAAA-AAAA", "x" * 41, "\x00"])
    def test_ask_refuses_what_is_no_code(self, phone: Phone, code: str) -> None:
        assert phone.try_code(code).status_code == 422

    def test_ask_takes_a_recovery_code_once(self, phone: Phone) -> None:
        assert phone.try_code(phone.recovery[3].lower().replace("-", " ")).status_code == 303
        assert phone.try_code(phone.recovery[3]).status_code == 422
        assert phone.try_code(phone.recovery[4]).status_code == 303

    def test_ask_new_recovery_codes_void_the_earlier_ones(self, phone: Phone) -> None:
        shown = phone.browser.post(f"{PAGE}/codes", {"current_password": PASSWORD})
        [new, *_others] = re.findall(r"<li><code>([0-9A-Z-]+)</code>", shown.text)

        assert phone.try_code(phone.recovery[0]).status_code == 422
        assert phone.try_code(new).status_code == 303

    def test_ask_under_another_server_key_says_what_helps_and_nothing_else(
        self, phone: Phone, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "SECRET_KEY", "another-key-of-no-value")

        answer = phone.try_code(phone.code())

        assert answer.status_code == 409
        assert "Demandez à l’équipe qui administre CPro" in Page(answer).text
        assert phone.try_code(phone.recovery[0]).status_code == 422, "as the sentence says, they are lost too"

    def test_ask_guessing_is_slowed_down(self, phone: Phone) -> None:
        browser = phone.give_password()
        for _ in range(throttle.ACCOUNT_FREE + 1):
            assert browser.post(CODE, {"code": "AAAA-AAAA-AAAA"}).status_code == 422

        answer = phone.try_code(phone.code())

        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) <= 5
        assert "Mot de passe oublié" not in Page(answer).text, "it would not help"

    def test_ask_what_strangers_type_keeps_no_owner_waiting(self, phone: Phone, app: Flask) -> None:
        """Whoever has the password alone types codes from a browser that was never signed in."""
        known = Browser(app)
        assert phone.try_code(phone.code(), known).status_code == 303
        known.post("/deconnexion")
        phone.clock.shift(NEXT)
        stranger = phone.give_password()
        while stranger.post(CODE, {"code": "AAAA-AAAA-AAAA"}).status_code == 422:
            pass

        assert phone.try_code(phone.code()).status_code == 429, "another browser waits"
        assert phone.try_code(phone.code(), known).status_code == 303
        phone.clock.shift(timedelta(minutes=15))
        phone.browser.get(PAGE)
        assert phone.browser.post(AGAIN, {"code": phone.code()}).status_code == 303, "signed in since before"

    def test_ask_guessing_from_a_known_browser_is_slowed_down_too(self, phone: Phone, app: Flask) -> None:
        known = Browser(app)
        phone.try_code(phone.code(), known)
        known.post("/deconnexion")
        phone.give_password(known)
        for _ in range(throttle.ACCOUNT_FREE + 1):
            assert known.post(CODE, {"code": "AAAA-AAAA-AAAA"}).status_code == 422

        assert known.post(CODE, {"code": "AAAA-AAAA-AAAA"}).status_code == 429

    def test_ask_waits_ten_minutes(self, phone: Phone) -> None:
        browser = phone.give_password()
        phone.clock.shift(timedelta(minutes=10, seconds=1))

        assert browser.post(CODE, {"code": phone.code()}).location == "/connexion"
        assert browser.get(CODE).location == "/connexion"

    def test_ask_leads_to_the_page_that_was_asked_for(self, phone: Phone, app: Flask) -> None:
        browser = Browser(app)
        browser.get("/connexion?suite=/mon-compte/sessions")
        typed = {"establishment": "alpha", "login": "claude.basalte", "password": PASSWORD}
        target = browser.post("/connexion?suite=/mon-compte/sessions", typed).location
        browser.get(target)

        assert browser.post(target, {"code": phone.code()}).location == "/mon-compte/sessions"

    def test_ask_without_a_password_leads_to_the_sign_in(self, world: World, browser: Callable[[], Browser]) -> None:
        assert browser().get(CODE).location == "/connexion"
        assert browser().post(CODE, {"code": "123456"}).status_code in (303, 400)

    def test_ask_is_no_way_round_by_a_forgotten_password(self, phone: Phone, desk: Desk, app: Flask) -> None:
        code = desk.create_code("head")
        browser = Browser(app)
        browser.get("/activation")
        typed = {"establishment": "alpha", "login": "claude.basalte", "code": code, **NEW}

        assert browser.post("/activation", typed).location == CODE
        assert browser.get("/mon-compte").status_code == 303

    def test_ask_a_sign_in_that_waits_is_no_open_session(self, phone: Phone, desk: Desk) -> None:
        phone.give_password()

        assert "Terminer toutes" not in phone.browser.get("/mon-compte/sessions").text
        assert [row.awaits_code for row in desk.rows(SignIn)] == [False, True]
        assert [row.action for row in desk.rows(AuditEntry)].count("account:signed-in") == 1


class TestTrust:
    @pytest.mark.parametrize(("days", "asked"), [(1, False), (29, False), (31, True)])
    def test_trust_lasts_thirty_days(self, phone: Phone, days: int, asked: bool) -> None:
        own = phone.give_password()
        own.post(CODE, {"code": phone.code(), "trust": "y"})
        own.post("/deconnexion")
        phone.clock.shift(timedelta(days=days))

        assert (own.sign_in("alpha", "claude.basalte", PASSWORD).location == CODE) is asked

    def test_trust_is_of_the_browser_that_asked(self, phone: Phone) -> None:
        phone.try_code(phone.code(), trust="y")

        phone.give_password()

    @pytest.mark.parametrize("act", ["/mon-compte", "/mon-compte/sessions/terminer-les-autres"])
    def test_trust_ends_with_the_password_and_with_the_other_sessions(self, phone: Phone, act: str) -> None:
        own = phone.give_password()
        own.post(CODE, {"code": phone.code(), "trust": "y"})
        own.post("/deconnexion")
        phone.clock.shift(NEXT)

        assert phone.browser.post(act, {"current_password": PASSWORD, **NEW}).status_code == 303

        password = NEW["password"] if act == "/mon-compte" else PASSWORD
        assert own.sign_in("alpha", "claude.basalte", password).location == CODE


class TestRemove:
    def test_remove_takes_the_password(self, phone: Phone, app: Flask, desk: Desk) -> None:
        assert phone.browser.post(f"{PAGE}/retirer", {"current_password": "Faux-faux-42-!"}).status_code == 422
        assert phone.browser.post(f"{PAGE}/retirer", {"current_password": PASSWORD}).status_code == 303

        assert desk.rows(SecondFactor) == []
        assert Browser(app).sign_in("alpha", "claude.basalte", PASSWORD).location == "/"

    @pytest.mark.parametrize("policy", ["grace", "required"])
    def test_remove_is_refused_where_one_is_required(
        self, phone: Phone, app: Flask, monkeypatch: pytest.MonkeyPatch, policy: str
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_SECOND_FACTOR", policy)

        assert phone.browser.post(f"{PAGE}/retirer", {"current_password": PASSWORD}).status_code == 403


class TestPolicy:
    def test_policy_required_opens_nothing_else_before_it_is_set_up(
        self, app: Flask, as_: As, clock_: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_SECOND_FACTOR", "required")
        head = as_("head")

        assert head.get("/admin/").location == f"{PAGE}?retour=/admin/"
        assert head.post("/mon-compte", {}).location == PAGE
        Phone(app, head, clock_)
        assert head.get("/admin/").status_code == 200

    def test_policy_required_leads_back_to_the_page_that_was_asked_for(
        self, app: Flask, as_: As, clock_: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_SECOND_FACTOR", "required")
        head = as_("head")
        back = "/admin/eleves/?q=quartz"

        begin = action_of(head.get(head.get(back).location).text)
        confirm = action_of(head.post(begin, {"current_password": PASSWORD}, follow_redirects=True).text)
        key = re.search(r"<code>([A-Z2-7 ]+)</code>", head.get(confirm.replace("/confirmer", "")).text)
        assert key
        shown = head.post(confirm, {"code": pyotp.TOTP(key[1].replace(" ", "")).at(datetime.now(UTC))})

        assert Page(shown).links == [back]
        assert head.get(back).status_code == 200

    @pytest.mark.parametrize("elsewhere", ["https://ailleurs.example/", "//ailleurs.example", "javascript:alert(1)"])
    def test_index_leads_back_to_a_page_of_ours_only(self, as_: As, elsewhere: str) -> None:
        assert elsewhere not in as_("head").get(f"{PAGE}?retour={elsewhere}").text

    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_policy_required_asks_nothing_of_others(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch, role: str
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_SECOND_FACTOR", "required")

        assert as_(role).get("/mon-compte").status_code == 200

    def test_policy_grace_leaves_fourteen_days_from_the_first_sign_in(
        self, app: Flask, as_: As, clock_: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_SECOND_FACTOR", "grace")
        assert "19/10/2026" in Page(as_("head").get(PAGE)).text
        clock_.shift(timedelta(days=13, hours=23))
        assert as_("head").get("/admin/").status_code == 200
        clock_.shift(timedelta(hours=1))

        assert as_("head").get("/admin/").location.startswith(PAGE)

    def test_policy_grace_is_announced_at_the_sign_in(
        self, app: Flask, world: World, clock_: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "CPRO_SECOND_FACTOR", "grace")
        browser = Browser(app)
        browser.sign_in("alpha", "claude.basalte", PASSWORD)

        assert "à partir du 19/10/2026" in Page(browser.get("/mon-compte")).text

    def test_policy_asks_nothing_by_default_where_the_demonstration_is(self, as_: As, desk: Desk) -> None:
        as_("head")

        assert desk.account("head").second_factor_since is None


class TestReset:
    def test_reset_by_the_command_line_is_told_and_journaled(self, phone: Phone, app: Flask, desk: Desk) -> None:
        desk.change("head", confirmed_email="chef@alpha.example")
        arguments = ["users", "reset-second-factor", "claude.basalte", "--establishment", "alpha"]

        done = app.test_cli_runner().invoke(args=arguments)

        assert done.exit_code == 0, done.output
        assert desk.rows(SecondFactor) == []
        assert "second facteur" in "".join(desk.mails())
        assert "account:second-factor:reset" in [row.action for row in desk.rows(AuditEntry)]
        assert "n’a pas de second facteur" in app.test_cli_runner().invoke(args=arguments).output

    def test_reset_of_a_platform_account(
        self, app: Flask, as_: As, desk: Desk, world: World, clock_: time_machine.Traveller
    ) -> None:
        Phone(app, as_("support"), clock_)
        email = world.platform_logins["support"]

        done = app.test_cli_runner().invoke(args=["platform-users", "reset-second-factor", email])

        assert done.exit_code == 0, done.output
        assert desk.rows(SecondFactor) == []
