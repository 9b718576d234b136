"""« Mot de passe oublié »: a code by e-mail for those who have an address, the same page for everybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from cpro.core.mail.models import MailMessage
from cpro.core.transactions import platform_unit_of_work
from cpro.users.models import Account
from cpro.users.operations.codes import create_code
from cpro.users.sign_in_models import ActivationCode
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.users.conftest import Desk, shown

START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
_CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b")


@pytest.fixture
def ask(app: Flask, world: World) -> Callable[..., TestResponse]:
    """Return a maker of requests, each from a fresh browser."""

    def post(establishment: str = "alpha", login: str = "ines.quartz", **kwargs: Any) -> TestResponse:
        visitor = Browser(app)
        visitor.get("/mot-de-passe-oublie", **kwargs)
        return visitor.post("/mot-de-passe-oublie", {"establishment": establishment, "login": login}, **kwargs)

    return post


class TestForgottenPassword:
    @pytest.mark.parametrize(
        ("establishment", "login", "state"),
        [
            ("nulle-part", "ines.quartz", {}),
            ("alpha", "personne.inconnue", {}),
            ("", "ines.quartz", {}),
            ("", "personne@cpro.example", {}),
            ("alpha", "ines.quartz", {"confirmed_email": ""}),
            ("alpha", "ines.quartz", {"is_active": False}),
        ],
    )
    def test_forgotten_password_says_the_same_to_those_who_get_nothing(
        self, ask: Callable[..., TestResponse], desk: Desk, establishment: str, login: str, state: dict[str, Any]
    ) -> None:
        usual = ask("alpha", "claude.basalte")
        desk.change("teacher", **state)

        answer = ask(establishment, login)

        assert answer.status_code == usual.status_code == 200
        assert shown(answer) == shown(usual)
        assert [mail.split("\n")[0] for mail in desk.mails()] == ["To: claude.basalte@alpha.example"]

    def test_forgotten_password_writes_to_the_address_of_the_account_of_that_school(
        self, ask: Callable[..., TestResponse], desk: Desk
    ) -> None:
        ask("0999002x", "Ines.Quartz")

        [mail] = desk.mails()
        assert mail.startswith("To: ines.quartz@beta.example\n")
        assert "Bonjour Inès QUARTZ," in mail
        assert "https://cpro.example/activation?establishment=beta&login=ines.quartz" in mail

    def test_forgotten_password_writes_to_platform_accounts_too(
        self, ask: Callable[..., TestResponse], desk: Desk
    ) -> None:
        ask("", "support@cpro.example")

        [mail] = desk.mails()
        assert "https://cpro.example/activation?establishment=&login=support%40cpro.example" in mail

    def test_forgotten_password_the_code_chooses_a_new_password_and_the_old_one_was_good_until_then(
        self, ask: Callable[..., TestResponse], browser: Callable[[], Browser], desk: Desk
    ) -> None:
        ask()
        code = _code_in(desk)
        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 303

        assert _activate(browser(), code).status_code == 303

        assert browser().sign_in("alpha", "ines.quartz", PASSWORD).status_code == 422
        assert browser().sign_in("alpha", "ines.quartz", "Girafe-42").status_code == 303

    def test_forgotten_password_the_code_lives_one_hour(
        self, ask: Callable[..., TestResponse], browser: Callable[[], Browser], desk: Desk
    ) -> None:
        with time_machine.travel(START, tick=False):
            ask()
        code = _code_in(desk)

        with time_machine.travel(START + timedelta(hours=1), tick=False):
            answer = _activate(browser(), code)

        assert answer.status_code == 422
        assert "expiré" in answer.text

    def test_forgotten_password_writes_at_most_three_messages_an_hour(
        self, ask: Callable[..., TestResponse], desk: Desk
    ) -> None:
        with time_machine.travel(START, tick=False) as clock:
            answers = [ask() for _ in range(5)]
            assert len(desk.mails()) == 3
            assert {(answer.status_code, shown(answer)) for answer in answers} == {(200, shown(answers[0]))}

            ask("beta")
            assert len(desk.mails()) == 4, "another account is not concerned"
            clock.shift(timedelta(hours=1, seconds=1))
            ask()
            assert len(desk.mails()) == 5

    def test_forgotten_password_is_answered_whatever_codes_others_created(
        self, app: Flask, ask: Callable[..., TestResponse], desk: Desk, world: World
    ) -> None:
        with time_machine.travel(START, tick=False):
            with app.app_context(), platform_unit_of_work("reprinted sheets") as work:
                account = work.session.get_one(Account, world.a.account_ids["teacher"])
                for _ in range(3):
                    create_code(work.session, account, now=START)
            ask()

        assert len(desk.mails()) == 1

    def test_forgotten_password_the_link_never_comes_from_the_host_header(
        self, app: Flask, ask: Callable[..., TestResponse], desk: Desk
    ) -> None:
        ask(base_url="http://localhost:8765")

        [mail] = desk.mails()
        assert "https://cpro.example/activation" in mail
        assert "localhost" not in mail

    def test_forgotten_password_a_forged_host_gets_no_answer_and_no_message(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        visitor = browser()
        visitor.get("/mot-de-passe-oublie")

        answer = visitor.post(
            "/mot-de-passe-oublie",
            {"establishment": "alpha", "login": "ines.quartz"},
            headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
        )

        assert answer.status_code == 400
        assert desk.mails() == []

    def test_forgotten_password_the_page_leads_to_the_activation_filled_in(
        self, ask: Callable[..., TestResponse]
    ) -> None:
        assert 'href="/activation?establishment=alpha&amp;login=ines.quartz"' in ask().text

    @pytest.mark.parametrize("typed", ["", "a\x00b", "x" * 10_000])
    def test_forgotten_password_an_odd_login_is_refused_without_a_crash(
        self, ask: Callable[..., TestResponse], desk: Desk, typed: str
    ) -> None:
        assert ask("alpha", typed).status_code == 422
        assert desk.rows(ActivationCode) == []

    def test_forgotten_password_a_token_is_asked_for(
        self, world: World, browser: Callable[[], Browser], desk: Desk
    ) -> None:
        answer = browser().post("/mot-de-passe-oublie", {"establishment": "alpha", "login": "ines.quartz"}, token=False)

        assert answer.status_code == 400
        assert desk.mails() == []


def _code_in(desk: Desk) -> str:
    [mail] = desk.mails()
    [code] = _CODE.findall(mail)
    return str(code)


def _activate(visitor: Browser, code: str) -> TestResponse:
    visitor.get("/activation")
    return visitor.post(
        "/activation",
        {
            "establishment": "alpha",
            "login": "ines.quartz",
            "code": code,
            "password": "Girafe-42",
            "password_confirm": "Girafe-42",
        },
    )


class TestMessageShown:
    """The message is shown, by its state alone, where the messages of the account and of its school are."""

    def test_forgotten_password_is_counted_for_the_school_and_shown_on_the_account(
        self, ask: Callable[..., TestResponse], desk: Desk, as_: Callable[..., Browser], world: World
    ) -> None:
        ask()
        code = _CODE.search(desk.mails()[0])
        assert code is not None

        answer = as_("administrator").get(f"/admin/utilisateurs/details/?id={world.a.account_ids['teacher']}")
        page = Page(answer).text
        assert "Messages envoyés" in page
        assert "CPro : choisir un nouveau mot de passe" in page
        assert code[0] not in answer.text
        support = as_("support")
        for school, number in ((world.a, 1), (world.b, 0)):
            support.post(f"/ecoles/{school.id}/entrer")
            mails = Page(support.get("/ecoles/support")).text.partition("Messages électroniques")[2]
            assert mails.strip().startswith("Aucun.") != bool(number)
            assert ("envoyé1" in mails) == bool(number)

    def test_forgotten_password_of_a_platform_account_is_no_schools(
        self, ask: Callable[..., TestResponse], desk: Desk
    ) -> None:
        ask("", "support@cpro.example")

        assert [(each.establishment_id, each.object_type) for each in desk.rows(MailMessage)] == [(None, "")]
