"""The password is asked again: before the school's address changes, and before somebody is reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from cpro.users.operations import throttle
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser
from tests.helpers.office import CODE, Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, school_row, watching

TAB, SCREEN = "/admin/parametres/etablissement", "/admin/etablissements/edit/?id={school}"
RESET, SHEETS = "/admin/utilisateurs/reinitialiser/", "/admin/utilisateurs/fiches"
OTHER = "autre@alpha.example"

#: An act: the page that has its form, where it is posted, and what is posted beside the password.
Act = tuple[str, str, dict[str, str]]
ACTS: dict[str, Act] = {
    "the school's address on its tab": (TAB, TAB, {"email": OTHER, "city": "Metz"}),
    "the school's address on its record": (SCREEN, SCREEN, {"email": OTHER, "city": "Metz"}),
    "a reset": (RESET + "?id={teacher}", RESET, {"id": "{teacher}"}),
    "a reset by sheets, confirmed": (
        SHEETS,
        SHEETS,
        {"layout": "8", "format": "csv", "ids": "{teacher}", "reset": "y", "confirme": "oui"},
    ),
}


class Asked:
    """One administrator and one act that asks for their password."""

    def __init__(self, browser: Browser, world: World, act: Act) -> None:
        ids = {"school": world.a.id, "teacher": world.a.account_ids["teacher"]}
        self.browser, (self.page, self.target, fields) = browser, act
        self.page, self.target = self.page.format(**ids), self.target.format(**ids)
        self.fields = {name: value.format(**ids) for name, value in fields.items()}

    def post(self, **password: str) -> TestResponse:
        """Post the form of the page, as it stands but for the act's fields, with a password or none."""
        return self.browser.post(self.target, {**self.browser.form(self.page), **self.fields, **password})


@pytest.fixture(params=ACTS)
def asked(request: pytest.FixtureRequest, as_: Callable[..., Browser], world: World) -> Asked:
    return Asked(as_("administrator"), world, ACTS[request.param])


class TestCheckOwnPassword:
    @pytest.mark.parametrize("password", [{}, {"current_password": ""}, {"current_password": "Faux-faux-faux-42!"}])
    def test_check_own_password_is_refused_without_the_right_one(
        self, app: Flask, asked: Asked, password: dict[str, str]
    ) -> None:
        with nothing_written(app):
            answer = asked.post(**password)

        assert answer.status_code == 422
        assert Page(answer).error("current_password")
        assert not CODE.search(answer.text)

    def test_check_own_password_keeps_what_was_typed_but_the_password(self, asked: Asked) -> None:
        answer = asked.post(current_password="Faux-faux-faux-42!")

        for value in asked.fields.values():
            assert f'value="{value}"' in answer.text
        assert "Faux-faux-faux-42!" not in answer.text

    def test_check_own_password_is_done_with_the_right_one(self, app: Flask, asked: Asked) -> None:
        with watching(app) as watch:
            answer = asked.post(current_password=PASSWORD)

        assert answer.status_code in (200, 303), answer.text
        assert watch.changed & {"establishment", "account"}

    def test_check_own_password_is_slowed_down_like_a_sign_in(self, app: Flask, asked: Asked) -> None:
        for _ in range(throttle.ACCOUNT_FREE + 1):
            asked.post(current_password="Faux-faux-faux-42!")

        with nothing_written(app):
            answer = asked.post(current_password=PASSWORD)

        assert answer.status_code == 429
        assert "Trop d’essais" in answer.text

    def test_check_own_password_is_not_slowed_down_by_strangers_at_the_sign_in_page(
        self, asked: Asked, browser: Callable[[], Browser]
    ) -> None:
        for _ in range(throttle.ACCOUNT_FREE + 2):
            browser().sign_in("alpha", "alix.granite", "Faux-faux-faux-42!")

        assert asked.post(current_password=PASSWORD).status_code in (200, 303)


class TestCheckOwnPasswordForTheSchoolsAddress:
    def test_check_own_password_is_not_asked_for_other_changes(
        self, app: Flask, as_: Callable[..., Browser], world: World
    ) -> None:
        browser = as_("administrator")

        assert "current_password" not in browser.get(TAB).text
        assert browser.post(TAB, {**browser.form(TAB), "city": "Metz"}).status_code == 303
        assert school_row(app, world.a.id)["city"] == "Metz"

    def test_check_own_password_a_stale_form_is_refused_before_any_password(self, as_: Callable[..., Browser]) -> None:
        first, second = as_("administrator"), as_("head")
        opened = first.form(TAB)
        second.post(TAB, {**second.form(TAB), "email": "tiers@lycee.example", "current_password": PASSWORD})

        assert first.post(TAB, {**opened, "email": OTHER}).status_code == 409

    def test_check_own_password_another_persons_save_is_in_the_form_that_asks_for_the_password(
        self, as_: Callable[..., Browser]
    ) -> None:
        first, second = as_("administrator"), as_("head")
        opened = first.form(TAB)
        second.post(TAB, {**second.form(TAB), "city": "Metz"})

        answer = first.post(TAB, {**opened, "email": OTHER})

        assert answer.status_code == 422
        assert "current_password" in answer.text and 'value="Metz"' in answer.text

    def test_check_own_password_is_asked_by_the_history_too(
        self, app: Flask, as_: Callable[..., Browser], world: World, platform: Any
    ) -> None:
        from sqlalchemy import select

        from cpro.audit.models import AuditEntry

        browser = as_("administrator")
        typed = {**browser.form(TAB), "email": OTHER, "current_password": PASSWORD}
        assert browser.post(TAB, typed).status_code == 303
        with platform() as session:
            wanted = AuditEntry.action == "establishment:particulars:changed"
            url = f"/admin/parametres/historique/{session.scalars(select(AuditEntry.id).where(wanted)).one()}/retablir"
        form = browser.form(url)

        assert "current_password" in form
        for wrong in ("", "Faux-faux-faux-42!"):
            with nothing_written(app):
                answer = browser.post(url, {**form, "current_password": wrong})
            assert (answer.status_code, bool(Page(answer).error("current_password"))) == (422, True)
        assert browser.post(url, {**form, "current_password": PASSWORD}).status_code == 303
        assert school_row(app, world.a.id)["email"] == "contact@alpha.example"


def test_check_own_password_is_not_asked_for_first_sheets(
    app: Flask, as_: Callable[..., Browser], world: World
) -> None:
    ids = Office(app, world).add_pupils(2)
    browser = as_("administrator")
    browser.get(SHEETS)

    answer = browser.post(SHEETS, {"layout": "8", "format": "csv", "ids": [str(each) for each in ids]})

    assert answer.status_code == 303
    assert len(CODE.findall(browser.get(f"{answer.location}/fichier").data.decode())) == 2
