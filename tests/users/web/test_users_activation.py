"""Activation codes: one use, thirty days, known to nobody but their bearer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from cpro.core.tenancy import platform_session
from cpro.extensions import db
from cpro.users.sign_in_models import ActivationCode, FailureCounter, SignIn
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.users.conftest import Desk, shown

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
CHOSEN = "Girafe-42"
REFUSED = "Activation refusée"
EXPIRED = "Ce code a expiré"


@pytest.fixture
def activate(app: Flask, world: World) -> Callable[..., TestResponse]:
    """Return a maker of activations, each from a fresh browser unless one is given."""

    def post(code: str, password: str = CHOSEN, *, browser: Browser | None = None, **typed: Any) -> TestResponse:
        visitor = browser or Browser(app)
        visitor.get("/activation")
        fields = {"establishment": "alpha", "login": "ines.quartz", "code": code, "password": password}
        return visitor.post("/activation", {**fields, "password_confirm": password, **typed})

    return post


def test_activate_keeps_the_school_filled_in_from_page_to_page(browser: Callable[[], Browser]) -> None:
    visitor = browser()
    for page, leads_to in (
        ("/connexion", "/activation"),
        ("/connexion", "/mot-de-passe-oublie"),
        ("/activation", "/connexion"),
        ("/mot-de-passe-oublie", "/connexion"),
    ):
        links = Page(visitor.get(f"{page}?establishment=alpha")).links
        [link] = {each for each in links if each.startswith(leads_to)}
        assert visitor.form(link)["establishment"] == "alpha", (page, leads_to)


class TestActivateRefused:
    @pytest.mark.parametrize(
        "typed",
        [
            {"establishment": "nulle-part"},
            {"establishment": "beta"},
            {"establishment": ""},
            {"login": "personne.inconnue"},
            {"login": "claude.basalte"},
        ],
    )
    def test_activate_says_the_same_whatever_is_wrong(
        self, activate: Callable[..., TestResponse], desk: Desk, typed: dict[str, str]
    ) -> None:
        usual = activate("AAAA-BBBB-CCCC")
        code = desk.create_code("teacher")

        answer = activate(code, **typed)

        assert answer.status_code == usual.status_code == 422
        assert REFUSED in answer.text
        assert shown(answer) == shown(usual)

    def test_activate_a_code_serves_once(self, activate: Callable[..., TestResponse], desk: Desk) -> None:
        code = desk.create_code("teacher")
        assert activate(code).status_code == 303
        first_hash = desk.account("teacher").password_hash

        again = activate(code, "Zebre-4242")

        assert again.status_code == 422
        assert REFUSED in again.text
        assert desk.account("teacher").password_hash == first_hash

    def test_activate_a_newer_code_voids_the_earlier_one(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        earlier, newer = desk.create_code("teacher"), desk.create_code("teacher")

        assert activate(earlier).status_code == 422
        assert activate(newer).status_code == 303

    def test_activate_a_code_lives_thirty_days_and_only_its_bearer_learns_that_it_expired(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        code = desk.create_code("teacher", now=START)

        with time_machine.travel(START + timedelta(days=30), tick=False):
            expired, guessed = activate(code), activate("AAAA-BBBB-CCCC")

        assert (expired.status_code, guessed.status_code) == (422, 422)
        assert EXPIRED in expired.text
        assert EXPIRED not in guessed.text
        assert "demandez" in expired.text.lower()

    def test_activate_until_the_last_minute_of_the_thirty_days_it_is_good(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        code = desk.create_code("teacher", now=START)

        with time_machine.travel(START + timedelta(days=30, minutes=-1), tick=False):
            assert activate(code).status_code == 303

    def test_activate_an_expired_code_typed_as_a_password_says_so(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        code = desk.create_code("teacher", now=START)

        with time_machine.travel(START + timedelta(days=31), tick=False):
            answer = browser().sign_in("alpha", "ines.quartz", code)

        assert answer.status_code == 422
        assert EXPIRED in answer.text

    def test_activate_an_expired_code_that_was_voided_is_like_any_other(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        code = desk.create_code("teacher", now=START)
        desk.create_code("teacher", now=START)

        with time_machine.travel(START + timedelta(days=31), tick=False):
            assert EXPIRED not in activate(code).text

    def test_activate_a_disabled_account_is_named_only_to_who_has_the_code(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        code = desk.create_code("teacher")
        desk.change("teacher", is_active=False)

        guessed, known = activate("AAAA-BBBB-CCCC"), activate(code)

        assert "désactivé" not in guessed.text
        assert known.status_code == 403
        assert "Ce compte est désactivé" in known.text
        assert desk.rows(SignIn) == []

    @pytest.mark.parametrize(
        "weak", ["court", "girafegirafe", "Azerty-123", "Quartz-4242", "Alpha-4242", "Ines.quartz1"]
    )
    def test_activate_a_weak_password_is_refused_and_the_code_stays_good(
        self, activate: Callable[..., TestResponse], desk: Desk, weak: str
    ) -> None:
        code = desk.create_code("teacher")

        answer = activate(code, weak)

        assert answer.status_code == 422
        assert 'id="password-erreur"' in answer.text
        assert f'value="{code}"' in answer.text
        assert f'value="{weak}"' not in answer.text
        assert desk.rows(FailureCounter) == [], "the code was right: that is no failure"
        assert activate(code).status_code == 303

    def test_activate_the_rule_is_written_on_the_page(self, world: World, browser: Callable[[], Browser]) -> None:
        page = browser().get("/activation").text

        assert "Au moins 8 caractères" in page
        assert "Au moins 12 caractères" in page

    def test_activate_who_acts_on_others_data_is_held_to_the_stronger_rule(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        code = desk.create_code("administrator")

        assert activate(code, CHOSEN, login="alix.granite").status_code == 422
        assert activate(code, "Girafe-et-zèbre-42", login="alix.granite").status_code == 303

    def test_activate_two_different_passwords_are_refused(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        code = desk.create_code("teacher")

        answer = activate(code, password_confirm="Girafe-43")

        assert answer.status_code == 422
        assert 'id="password_confirm-erreur"' in answer.text
        assert desk.account("teacher").password_hash == desk.account("student").password_hash, "unchanged"

    @pytest.mark.parametrize("typed", ["", "   ", "A\x00B", "A" * 10_000, "ÀÉÎ-ÕÜŸ-ßßß", "١٢٣٤"])
    def test_activate_an_odd_code_is_refused_without_a_crash(
        self, activate: Callable[..., TestResponse], typed: str
    ) -> None:
        assert activate(typed).status_code == 422


class TestActivate:
    @pytest.mark.usefixtures("real_hashes")
    def test_activate_sets_the_password_and_signs_in(
        self, activate: Callable[..., TestResponse], browser: Callable[[], Browser], desk: Desk
    ) -> None:
        desk.change("teacher", password_hash=None, activated_at=None)
        visitor, code = browser(), desk.create_code("teacher")

        answer = activate(code, browser=visitor)

        assert (answer.status_code, answer.location) == (303, "/")
        landing = visitor.get("/", follow_redirects=True)
        assert landing.status_code == 200
        assert "Votre mot de passe est enregistré" in landing.text
        account = desk.account("teacher")
        assert account.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert account.activated_at is not None
        assert browser().sign_in("alpha", "ines.quartz", CHOSEN).status_code == 303

    def test_activate_ends_the_earlier_sign_ins(
        self, activate: Callable[..., TestResponse], as_: Callable[..., Browser], desk: Desk
    ) -> None:
        earlier, colleague = as_("teacher"), as_("head")

        activate(desk.create_code("teacher"))

        assert earlier.get("/mon-compte").status_code == 303
        assert colleague.get("/mon-compte").status_code == 200

    def test_activate_takes_a_platform_account_with_a_blank_school(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        code = desk.create_code("support")

        answer = activate(code, "Girafe-et-zèbre-42", establishment="", login="support@cpro.example")

        assert answer.status_code == 303

    def test_activate_takes_the_code_as_people_type_it(self, activate: Callable[..., TestResponse], desk: Desk) -> None:
        code = desk.create_code("teacher")
        while "0" not in code or "1" not in code:
            code = desk.create_code("teacher")
        typed = " " + code.replace("-", " ").replace("0", "O").replace("1", "l").lower() + " "

        assert activate(typed).status_code == 303

    def test_activate_takes_the_code_without_its_hyphens(
        self, activate: Callable[..., TestResponse], desk: Desk
    ) -> None:
        assert activate(desk.create_code("teacher").replace("-", "")).status_code == 303

    def test_activate_the_link_of_a_mail_fills_the_form_in(self, world: World, browser: Callable[[], Browser]) -> None:
        form = browser().form("/activation?establishment=alpha&login=ines.quartz")

        assert (form["establishment"], form["login"]) == ("alpha", "ines.quartz")

    def test_activate_leads_to_the_page_that_was_asked_for(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        code, visitor = desk.create_code("teacher"), browser()
        visitor.get("/activation")

        answer = visitor.post(
            "/activation?suite=/mon-compte",
            {
                "establishment": "alpha",
                "login": "ines.quartz",
                "code": code,
                "password": CHOSEN,
                "password_confirm": CHOSEN,
            },
        )

        assert answer.location == "/mon-compte"


class TestCreateCode:
    def test_create_code_the_code_is_in_no_table(self, app: Flask, desk: Desk) -> None:
        code = desk.create_code("teacher")

        stored = _everything(app)

        assert code not in stored
        assert code.replace("-", "") not in stored
        [row] = desk.rows(ActivationCode)
        assert len(row.code_hmac) == 64

    def test_create_code_the_hmac_depends_on_the_servers_key(self, app: Flask, desk: Desk) -> None:
        """A stolen database alone lets nobody try codes: 60 bits would not resist a plain hash for ever."""
        from hashlib import sha256

        code = desk.create_code("teacher").replace("-", "")

        [row] = desk.rows(ActivationCode)
        assert row.code_hmac != sha256(code.encode()).hexdigest()

    def test_create_code_a_code_is_twelve_unambiguous_characters(self, desk: Desk) -> None:
        codes = {desk.create_code("teacher") for _ in range(20)}

        assert len(codes) == 20
        for code in codes:
            assert [len(part) for part in code.split("-")] == [4, 4, 4]
            assert not set("ILOU") & set(code)


def _everything(app: Flask) -> str:
    """Return all that the database holds, as text."""
    with app.app_context(), platform_session("test") as session:
        return "\n".join(str(row) for table in db.metadata.sorted_tables for row in session.execute(select(table)))
