"""What is said of activation sheets before they are prepared: who gets none, what a reset does, and giving it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.credential_sheets import ADDRESS, ask
from tests.helpers.office import Office
from tests.helpers.pages import Page

As = Callable[..., Browser]


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def office(app: Flask, world: World) -> Office:
    return Office(app, world)


def way_back(answer: TestResponse) -> str:
    """Return the address of « Ne rien changer »."""
    links = Page(answer).main.iter("a")
    return next(each.get("href") or "" for each in links if (each.text or "").strip() == "Ne rien changer")


class TestGiveUpSheets:
    def test_create_credential_sheets_given_up_forgets_the_refused_form(self, as_: As, office: Office) -> None:
        whom = {"ids": [*map(str, office.add_pupils(2))]}
        browser = as_("administrator")
        assert ask(browser, **whom).status_code == 303
        refused = ask(browser, **whom, reset="y", confirme="oui")
        assert refused.status_code == 422

        for address in (way_back(refused), ADDRESS):
            page = Page(browser.get(address))
            assert not page.alerts, address
            assert "pas encore enregistrée" not in page.text


class TestConfirmReset:
    @pytest.mark.parametrize(
        ("activated", "sentence"),
        [(0, ""), (1, "1 mot de passe déjà choisi cesse"), (2, "2 mots de passe déjà choisis cessent")],
    )
    def test_create_credential_sheets_says_how_many_passwords_a_reset_voids(
        self, as_: As, office: Office, activated: int, sentence: str
    ) -> None:
        ids = [*office.add_pupils(1), *office.add_pupils(activated, password_hash="x", activated_at=NOW)]
        browser = as_("administrator")
        ask(browser, ids=ids)

        reset = Page(ask(browser, ids=ids, reset="y")).text

        assert sentence in reset
        assert ("de passe déjà choisi" in reset) is bool(sentence)
        assert "de passe déjà choisi" not in Page(ask(browser, ids=ids)).text

    def test_create_credential_sheets_asks_the_password_of_a_reset_as_needed(self, as_: As, office: Office) -> None:
        ids = office.add_pupils(1)
        browser = as_("administrator")
        assert "inutile sinon" in Page(browser.get(ADDRESS)).text
        ask(browser, ids=ids)

        for confirmed in ({}, {"confirme": "oui"}):
            page = Page(ask(browser, ids=ids, reset="y", **confirmed)).text
            assert "Demandé pour réinitialiser des comptes." in page
            assert "inutile sinon" not in page
