"""Two at one instant: one effect, one clear answer to the other, nothing lost, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from bench.campaigns import size_of
from cpro.audit.models import AuditEntry
from cpro.core import clock
from cpro.core.permissions import Role
from cpro.core.transactions import lock_schools
from cpro.scenarios.models import Scenario
from cpro.users.models import Account
from cpro.users.operations import accounts, codes
from tests.factories import PASSWORD, TESTER, World
from tests.helpers import pictures
from tests.helpers.at_once import at_once
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, rows
from tests.helpers.uploads import LOGO_TAB, shown, undoable, upload

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
AtOnce = Callable[..., list[TestResponse]]

NEW_PASSWORDS = ("Premier-Granite-71", "Second-Granite-72")
NEW_USER = "/admin/utilisateurs/new/"
TEACHER = {"last_name": "Nouveau", "first_name": "Noé", "role": "teacher", "civility": "M."}


@pytest.fixture
def together(database: str, admin_engine: Engine | None, world: World) -> AtOnce:
    """Return a way to send requests of school A at one instant."""
    return lambda *acts: at_once(database, admin_engine, world.a.id, *acts)


def statuses(answers: list[TestResponse]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def lines(app: Flask, action: str) -> int:
    return sum(row["action"] == action for row in rows(app, AuditEntry))


class TestActivate:
    def test_activate_one_code_used_twice_opens_one_account(
        self, app: Flask, world: World, arrange: Arrange, together: AtOnce
    ) -> None:
        with arrange() as session:
            lock_schools(session, [world.a.id])
            account = accounts.create_account(
                session,
                establishment_id=world.a.id,
                login="n.nouveau",
                role=Role.TEACHER,
                first_name="Noé",
                last_name="Nouveau",
                by=TESTER,
                now=clock.utcnow(),
            )
            code = codes.create_code(session, account, now=clock.utcnow())

        def activate(password: str) -> TestResponse:
            browser = Browser(app)
            browser.get("/activation")
            typed = {"establishment": world.a.code, "login": "n.nouveau", "code": code}
            return browser.post("/activation", {**typed, "password": password, "password_confirm": password})

        answers = together(*(lambda p=p: activate(p) for p in NEW_PASSWORDS))

        assert statuses(answers) == [303, 422]
        assert "le code a déjà servi" in next(Page(each).text for each in answers if each.status_code == 422)
        winner = next(
            password for password, each in zip(NEW_PASSWORDS, answers, strict=True) if each.status_code == 303
        )
        opened = [Browser(app).sign_in(world.a.code, "n.nouveau", each).status_code for each in NEW_PASSWORDS]
        assert opened == [303 if each == winner else 422 for each in NEW_PASSWORDS]
        assert lines(app, "account:password:changed") == 1


class TestSignIn:
    def test_sign_in_while_the_account_is_disabled_is_answered(
        self, app: Flask, world: World, as_: As, together: AtOnce
    ) -> None:
        administrator, teacher = as_("administrator"), Browser(app)
        url = f"/admin/utilisateurs/desactiver/?id={world.a.account_ids['teacher']}"
        asked = administrator.form(url)
        teacher.get("/connexion")

        answers = together(
            lambda: administrator.post(url, asked),
            lambda: teacher.post(
                "/connexion",
                {"establishment": world.a.code, "login": world.logins["teacher"], "password": world.password},
            ),
        )

        assert answers[0].status_code == 303
        assert answers[1].status_code in (303, 403, 409)
        assert teacher.get("/scenarios").status_code == 303, "nobody is signed in to a disabled account"

    def test_sign_in_many_people_at_once_beside_a_form(
        self, app: Flask, world: World, as_: As, together: AtOnce
    ) -> None:
        administrator = as_("administrator")
        url = f"/admin/utilisateurs/edit/?id={world.a.account_ids['teacher']}"
        form = {**Page(administrator.get(url)).posts(), "discipline": ["Soudage"]}

        def sign_in() -> TestResponse:
            return Browser(app).sign_in(world.a.code, world.logins["teacher"], world.password)

        answers = together(sign_in, lambda: administrator.post(url, form), sign_in, sign_in)

        assert statuses(answers) == [303] * 4


class TestOwnAccount:
    def test_own_password_changed_from_two_browsers_signs_one_out(
        self, app: Flask, world: World, as_: As, together: AtOnce
    ) -> None:
        both = [as_("teacher"), as_("teacher")]

        def change(browser: Browser, password: str) -> TestResponse:
            browser.get("/mon-compte")
            fields = {"current_password": PASSWORD, "password": password, "password_confirm": password}
            return browser.post("/mon-compte", fields)

        answers = together(*(lambda b=b, p=p: change(b, p) for b, p in zip(both, NEW_PASSWORDS, strict=True)))

        kept, refused = statuses(answers)
        assert kept == 303
        assert refused in (409, 422), "on SQLite the second may compare its password after the first was changed"
        sentences = next(Page(each).text for each in answers if each.status_code != 303)
        assert "vient d’être changé dans une autre fenêtre" in sentences or "n’est pas le bon" in sentences
        still = [browser.get("/mon-compte").status_code for browser in both]
        assert still == [200 if each.status_code == 303 else 303 for each in answers]

    def test_own_address_changed_from_two_browsers_is_asked(self, app: Flask, as_: As, together: AtOnce) -> None:
        both, url = [as_("teacher"), as_("teacher")], "/mon-compte/adresse"
        typed = ["un@maison.example", "deux@maison.example"]

        def change(browser: Browser, email: str) -> TestResponse:
            form = Page(browser.get(url)).posts()
            return browser.post(url, {**form, "email": email, "current_password": PASSWORD})

        answers = together(*(lambda b=b, e=e: change(b, e) for b, e in zip(both, typed, strict=True)))

        assert statuses(answers) == [303, 409]
        (loser,) = (n for n, each in enumerate(answers) if each.status_code == 409)
        assert len(Page(answers[loser]).clashes()) == 1
        again = both[loser].post(url, {**Page(answers[loser]).posts(), "current_password": PASSWORD})
        assert again.status_code == 303
        assert typed[loser] in [row["email"] for row in rows(app, Account)]

    def test_own_address_opened_before_another_change_is_asked(self, as_: As) -> None:
        first, second, url = as_("teacher"), as_("teacher"), "/mon-compte/adresse"
        opened = Page(second.get(url)).posts()
        first.get(url)
        first.post(url, {"email": "un@maison.example", "current_password": PASSWORD})

        answer = second.post(url, {**opened, "email": "deux@maison.example", "current_password": PASSWORD})

        assert answer.status_code == 409
        assert Page(second.get(url)).posts()["email"] == ["deux@maison.example"], "what was typed is shown again"
        second.get(f"{url}?abandonner=1")
        assert Page(second.get(url)).posts()["email"] == ["un@maison.example"]


class TestScreens:
    @pytest.mark.parametrize("_turn", range(size_of("two-people")))
    def test_update_model_two_fields_of_one_user_are_both_kept(
        self, app: Flask, world: World, as_: As, together: AtOnce, _turn: int
    ) -> None:
        both = [as_("administrator"), as_("administrator")]
        url = f"/admin/utilisateurs/edit/?id={world.a.account_ids['teacher']}"
        forms = [Page(each.get(url)).posts() for each in both]
        forms[0]["discipline"], forms[1]["first_name"] = ["Soudage"], ["Zoé"]

        answers = together(*(lambda b=b, f=f: b.post(url, f) for b, f in zip(both, forms, strict=True)))

        assert statuses(answers) == [303, 409]
        (loser,) = (n for n, each in enumerate(answers) if each.status_code == 409)
        assert both[loser].post(url, Page(answers[loser]).posts()).status_code == 303
        (teacher,) = [row for row in rows(app, Account) if row["id"] == world.a.account_ids["teacher"]]
        assert (teacher["discipline"], teacher["first_name"]) == ("Soudage", "Zoé")

    def test_create_model_a_button_pressed_twice_makes_one_person(self, app: Flask, as_: As, together: AtOnce) -> None:
        browser, twin = as_("administrator"), Browser(app)
        form = {**Page(browser.get(NEW_USER)).posts(), **TEACHER}
        twin.client = app.test_client()
        with browser.client.session_transaction() as here, twin.client.session_transaction() as there:
            there.update(here)
        twin._token = browser._token

        answers = together(lambda: browser.post(NEW_USER, form), lambda: twin.post(NEW_USER, form))

        assert statuses(answers) == [303, 409]
        refused = next(each for each in answers if each.status_code == 409)
        assert "rien n’a été créé une seconde fois" in Page(refused).alerts[0]
        assert sum(row["last_name"] == "Nouveau" for row in rows(app, Account)) == 1
        assert Page(refused).posts()["last_name"] == ["Nouveau"], "nothing typed is lost"

    def test_create_model_two_of_one_name_may_be_made_knowingly(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        form = {**Page(browser.get(NEW_USER)).posts(), **TEACHER}
        browser.post(NEW_USER, form)

        asked = browser.post(NEW_USER, form)
        browser.post(NEW_USER, Page(asked).posts())

        assert asked.status_code == 409
        logins = [row["login"] for row in rows(app, Account) if row["last_name"] == "Nouveau"]
        assert len(logins) in (1, 2)


class TestEditPage:
    def test_answer_a_scenario_sent_twice_is_one(self, app: Flask, as_: As) -> None:
        browser, url = as_("teacher"), "/scenarios/nouveau"
        form = {**Page(browser.get(url)).posts(), "title": "Poser une prise"}
        first = browser.post(url, form)

        again = browser.post(url, form)

        assert (first.status_code, again.status_code) == (303, 409)
        assert sum(row["title"] == "Poser une prise" for row in rows(app, Scenario)) == 1
        assert browser.post(url, Page(again).posts()).status_code == 303


class TestPictures:
    def test_undo_picture_change_posted_twice_takes_back_one_change(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(10, 10))
        upload(browser, pictures.png(20, 20))
        pressed = undoable(browser)
        browser.post(f"{LOGO_TAB}/annuler/logo", pressed)

        with nothing_written(app):
            again = browser.post(f"{LOGO_TAB}/annuler/logo", pressed)
            without = browser.post(f"{LOGO_TAB}/annuler/logo")

        assert (again.status_code, without.status_code) == (409, 409)
        assert "Le logo a changé entre-temps" in Page(again).alerts[0]
        assert shown(browser) == (10, 10)

    def test_undo_picture_change_posted_twice_at_once_takes_back_one(
        self, app: Flask, as_: As, together: AtOnce
    ) -> None:
        both: list[Any] = [as_("administrator"), as_("head")]
        upload(both[0], pictures.png(10, 10))
        upload(both[0], pictures.png(20, 20))
        pressed = [undoable(each) for each in both]

        answers = together(
            *(lambda b=b, p=p: b.post(f"{LOGO_TAB}/annuler/logo", p) for b, p in zip(both, pressed, strict=True))
        )

        assert statuses(answers) == [303, 409]
        assert shown(both[0]) == (10, 10)
        assert lines(app, "picture:logo:undone") == 1
