"""Being signed in: the cookie, thirty minutes of inactivity, and every way it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask

from cpro.audit.models import AuditEntry
from cpro.core.permissions import access_of
from cpro.users.sign_in_models import SignIn
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.users.conftest import Desk

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)


def cookie_of(browser: Browser) -> str:
    """Return the value of the session's cookie."""
    cookie = browser.client.get_cookie("cpro_session")
    return cookie.value if cookie else ""


class TestLoadPrincipalSignedOut:
    def test_signed_out_every_page_leads_to_the_sign_in_and_back(self, app: Flask, world: World) -> None:
        reserved = [
            rule.rule
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and not rule.arguments and _is_reserved(app, rule.endpoint)
        ]
        assert "/admin/parametres/etablissement" in reserved
        assert "/ecoles" in reserved

        for path in reserved:
            answer = Browser(app).get(path + "?x=1")
            target = urlsplit(answer.location)
            assert (answer.status_code, target.path) == (303, "/connexion"), path
            assert parse_qs(target.query) == {"suite": [f"{path}?x=1"]}

    def test_signed_out_a_post_leads_to_the_sign_in_and_changes_nothing(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        answer = browser().post("/admin/parametres/etablissement", {"name": "Pirate"}, token=False)

        assert answer.status_code == 303
        assert answer.location.startswith("/connexion")
        assert desk.rows(AuditEntry) == []

    def test_signed_out_a_token_alone_opens_nothing(self, world: World, browser: Callable[[], Browser]) -> None:
        visitor = browser()
        visitor.get("/connexion")

        answer = visitor.post("/admin/parametres/transferts", {"transfers_enabled": "oui"})

        assert answer.status_code == 303
        assert answer.location.startswith("/connexion")


class TestCookie:
    def test_cookie_is_out_of_reach_of_scripts_and_other_sites(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        headers = _cookies(browser().sign_in("alpha", "alix.granite", PASSWORD))

        assert set(headers) == {"cpro_session", "cpro_browser"}
        for header in headers.values():
            assert "HttpOnly" in header
            assert "SameSite=Lax" in header
            assert "Domain=" not in header

    @pytest.mark.parametrize("base_url", ["http://localhost", "http://localhost:5000"])
    def test_cookie_crosses_plain_http_on_the_machine_itself_only(
        self, world: World, browser: Callable[[], Browser], base_url: str
    ) -> None:
        visitor = browser()
        visitor.get("/connexion", base_url=base_url)

        answer = visitor.post("/connexion", _typed(), base_url=base_url)

        assert all("Secure" not in header for header in _cookies(answer).values())

    @pytest.mark.parametrize("base_url", ["https://cpro.example", "http://cpro.example", "https://localhost"])
    def test_cookie_is_reserved_to_https_everywhere_else(
        self, world: World, browser: Callable[[], Browser], base_url: str
    ) -> None:
        first = browser().get("/connexion", base_url=base_url)

        assert "Secure" in _cookies(first)["__Host-cpro_session"]
        assert "Path=/;" in _cookies(first)["__Host-cpro_session"] + ";"

    def test_cookie_over_https_one_signs_in_and_stays(self, world: World, browser: Callable[[], Browser]) -> None:
        visitor, secure = browser(), {"base_url": "https://cpro.example"}
        visitor.get("/connexion", **secure)

        answer = visitor.post("/connexion", _typed(), headers={"Referer": "https://cpro.example/connexion"}, **secure)

        assert answer.status_code == 303
        assert all("Secure" in header for header in _cookies(answer).values())
        assert visitor.get("/mon-compte", **secure).status_code == 200

    def test_cookie_changes_at_sign_in_and_forgets_what_it_held(
        self, world: World, browser: Callable[[], Browser]
    ) -> None:
        visitor = browser()
        visitor.get("/connexion")
        planted = cookie_of(visitor)
        with visitor.client.session_transaction() as content:
            content["planted"] = "yes"
            token_before = content["csrf_token"]

        visitor.sign_in("alpha", "alix.granite", PASSWORD)

        assert cookie_of(visitor) != planted
        visitor.get("/mon-compte")
        with visitor.client.session_transaction() as content:
            assert "planted" not in content
            assert content["csrf_token"] != token_before

    def test_cookie_holds_a_token_that_the_database_knows_only_by_its_hash(
        self, as_: Callable[..., Browser], desk: Desk
    ) -> None:
        browser = as_("head")
        with browser.client.session_transaction() as content:
            token = content["_user_id"]

        [row] = desk.rows(SignIn)
        assert len(token) >= 43
        assert token not in (row.token_hash, str(row.id))

    def test_cookie_signs_nobody_out_where_the_clock_is_set_back(self, app: Flask, world: World) -> None:
        with time_machine.travel(datetime(2026, 10, 25, 9, tzinfo=UTC), tick=False) as clock_:
            visitor = Browser(app)
            visitor.sign_in(world.a.code, world.logins["head"], PASSWORD)
            visitor.get("/mon-compte")
            clock_.shift(timedelta(hours=-1))

            assert visitor.get("/mon-compte").status_code == 200
            assert visitor.post("/mon-compte/sessions/terminer-les-autres").status_code == 303
            clock_.shift(timedelta(hours=14))
            assert visitor.get("/mon-compte").status_code == 303, "however the clock goes, a sign-in ends"

    def test_cookie_a_forged_one_signs_no_one_in(self, app: Flask, world: World) -> None:
        from flask.sessions import SecureCookieSessionInterface

        forger = Browser(app)
        stranger = Flask("forged")
        stranger.secret_key = "another key"
        signer: Any = SecureCookieSessionInterface().get_signing_serializer(stranger)
        forger.client.set_cookie("cpro_session", signer.dumps({"_user_id": "1", "_fresh": True}))

        assert forger.get("/mon-compte").status_code == 303


class TestInactivity:
    @pytest.mark.parametrize(("minutes", "status"), [(29, 200), (30, 200), (31, 303)])
    def test_inactivity_thirty_minutes_sign_out(self, as_: Callable[..., Browser], minutes: int, status: int) -> None:
        with time_machine.travel(START, tick=False) as clock:
            browser = as_("head")
            clock.shift(timedelta(minutes=minutes))

            assert browser.get("/mon-compte").status_code == status

    def test_inactivity_activity_keeps_signed_in_all_day(self, as_: Callable[..., Browser]) -> None:
        with time_machine.travel(START, tick=False) as clock:
            browser = as_("head")
            for _ in range(20):
                clock.shift(timedelta(minutes=29))
                assert browser.get("/mon-compte").status_code == 200

    @pytest.mark.parametrize(("minutes", "status"), [(719, 200), (721, 303)])
    def test_inactivity_however_active_a_sign_in_ends_after_twelve_hours(
        self, as_: Callable[..., Browser], minutes: int, status: int
    ) -> None:
        with time_machine.travel(START, tick=False) as clock:
            browser = as_("head")
            for _ in range(minutes // 20):
                clock.shift(timedelta(minutes=20))
                browser.get("/mon-compte")
            clock.move_to(START + timedelta(minutes=minutes))

            assert browser.get("/mon-compte").status_code == status

    def test_inactivity_a_sign_in_that_expired_does_not_come_back(self, as_: Callable[..., Browser]) -> None:
        with time_machine.travel(START, tick=False) as clock:
            browser = as_("head")
            clock.shift(timedelta(minutes=31))
            browser.get("/mon-compte")

            assert browser.get("/mon-compte").status_code == 303

    def test_inactivity_static_files_are_no_activity(self, as_: Callable[..., Browser]) -> None:
        with time_machine.travel(START, tick=False) as clock:
            browser = as_("head")
            clock.shift(timedelta(minutes=20))
            browser.get("/static/cpro.css").close()
            clock.shift(timedelta(minutes=11))

            assert browser.get("/mon-compte").status_code == 303

    def test_inactivity_expired_sign_ins_are_swept_at_the_next_one(
        self, as_: Callable[..., Browser], desk: Desk
    ) -> None:
        with time_machine.travel(START, tick=False) as clock:
            as_("head")
            clock.shift(timedelta(minutes=31))
            as_("teacher")

        assert [row.account_id for row in desk.rows(SignIn)] == [desk.account("teacher").id]


class TestSignOut:
    def test_sign_out_ends_the_sign_in_even_for_a_copied_cookie(self, as_: Callable[..., Browser], app: Flask) -> None:
        browser, thief = as_("head"), Browser(app)
        thief.client.set_cookie("cpro_session", cookie_of(browser))
        assert thief.get("/mon-compte").status_code == 200

        answer = browser.post("/deconnexion")

        assert (answer.status_code, answer.location) == (303, "/connexion")
        assert "Vous êtes déconnecté" in browser.get("/connexion").text
        assert browser.get("/mon-compte").status_code == 303
        assert thief.get("/mon-compte").status_code == 303

    def test_sign_out_leaves_the_other_browsers_signed_in(self, as_: Callable[..., Browser]) -> None:
        browser, elsewhere = as_("head"), as_("head")

        browser.post("/deconnexion")

        assert elsewhere.get("/mon-compte").status_code == 200

    def test_sign_out_a_link_cannot_sign_out(self, as_: Callable[..., Browser]) -> None:
        browser = as_("head")

        assert browser.get("/deconnexion", follow_redirects=True).status_code in (404, 405)
        assert browser.post("/deconnexion", token=False).status_code == 400
        assert browser.get("/mon-compte").status_code == 200

    def test_sign_out_after_thirty_minutes_the_button_still_leads_to_the_sign_in(
        self, as_: Callable[..., Browser]
    ) -> None:
        with time_machine.travel(START, tick=False) as clock:
            browser = as_("head")
            browser.get("/mon-compte")
            clock.shift(timedelta(minutes=31))

            answer = browser.post("/deconnexion")

        assert (answer.status_code, answer.location) == (303, "/connexion")

    def test_sign_out_leaves_a_line_in_the_journal(self, as_: Callable[..., Browser], desk: Desk, world: World) -> None:
        as_("head", "b").post("/deconnexion")

        assert [(row.action, row.establishment_id) for row in desk.rows(AuditEntry)] == [
            ("account:signed-in", world.b.id),
            ("account:signed-out", world.b.id),
        ]


class TestDisabledMeanwhile:
    def test_load_principal_a_disabled_account_is_signed_out_at_once(
        self, as_: Callable[..., Browser], desk: Desk
    ) -> None:
        browser = as_("teacher")

        desk.change("teacher", is_active=False)

        assert browser.get("/mon-compte").status_code == 303


def _is_reserved(app: Flask, endpoint: str) -> bool:
    access = access_of(app.view_functions[endpoint])
    return access is not None and access.permission is not None


def _typed() -> dict[str, str]:
    return {"establishment": "alpha", "login": "alix.granite", "password": PASSWORD}


def _cookies(answer: Any) -> dict[str, str]:
    return {header.partition("=")[0]: header for header in answer.headers.getlist("Set-Cookie")}
