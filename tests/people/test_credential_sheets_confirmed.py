"""What is said of activation sheets before they are prepared: who gets none, what a reset does, and giving it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cpro.students.models import Student
from tests.factories import NOW, PASSWORD, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.credential_sheets import ADDRESS, ask
from tests.helpers.office import Office
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


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


class TestWhoGetsNoSheet:
    def test_choose_credential_sheets_names_first_who_gets_none_and_why(
        self, as_: As, office: Office, world: World, arrange: Look
    ) -> None:
        ids = office.add_pupils(1)
        ids += office.add_pupils(1, last_name="Agate", login="a.gate", password_hash="x", activated_at=NOW)
        ids += office.add_pupils(1, last_name="Close", login="a.close", is_active=False)
        with arrange() as session:
            gone = make_student(world.a.id, last_name="Partie", is_active=False)
            session.add_all([gone, new := make_student(world.a.id, last_name="Neuve")])
            session.flush()
            found = session.scalars(select(Student.id).where(Student.account_id.in_(ids)))
            pupils = ",".join(map(str, [*found, gone.id, new.id]))
        browser = as_("administrator")

        page = Page(browser.get(f"{ADDRESS}?eleves={pupils}")).text

        assert "Sans fiche, sauf réinitialisation : AGATE Prénom (a.gate), compte déjà activé." in page
        assert "Sans fiche : CLOSE Prénom (a.close), compte désactivé." in page
        assert "Sans fiche : Zoé PARTIE (31/01/2009), qui a quitté l’établissement." in page
        assert "1 élève présent n’a pas encore de compte : Zoé NEUVE (31/01/2009). Sans compte, pas de fiche." in page
        ask(browser, eleves=pupils)
        confirmed = Page(ask(browser, eleves=pupils)).text
        assert "Sans fiche : AGATE Prénom (a.gate), compte déjà activé." in confirmed
        assert "Sans fiche : Zoé PARTIE (31/01/2009), qui a quitté l’établissement." in confirmed
        assert "AGATE Prénom (a.gate), compte" not in Page(ask(browser, eleves=pupils, reset="y")).text

    def test_choose_credential_sheets_names_ten_of_those_who_get_none(self, as_: As, office: Office) -> None:
        own = office.school.account_ids["administrator"]
        ids = [*office.add_pupils(13, password_hash="x", activated_at=NOW), own]

        page = Page(as_("administrator").get(f"{ADDRESS}?ids={','.join(map(str, ids))}")).text

        assert " et 3 autres, comptes déjà activés." in page
        assert ", compte qui est le vôtre." in page


class TestGiveUpSheets:
    def test_create_credential_sheets_given_up_forgets_the_refused_form(self, as_: As, office: Office) -> None:
        whom = {"ids": [*map(str, office.add_pupils(2))]}
        browser = as_("administrator")
        assert ask(browser, **whom).status_code == 303
        refused = ask(browser, **whom, layout="2", reset="y", confirme="oui")
        assert refused.status_code == 422
        back = way_back(refused)

        for address in (back, ADDRESS):
            page = Page(browser.get(address))
            assert not page.alerts, address
            assert "pas encore enregistrée" not in page.text
        page = Page(browser.get(back))
        assert "2 comptes choisis" in page.text
        ticked = {each.get("value") for each in page.main.iter("input") if each.get("checked") is not None}
        assert ticked == {"2", "csv", "y"}


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

    @pytest.mark.parametrize("has_code", [True, False])
    @pytest.mark.parametrize("activated", [{}, {"password_hash": "x", "activated_at": NOW}])
    def test_create_credential_sheets_asks_before_a_reset_whether_or_not_a_code_becomes_void(
        self, app: Flask, as_: As, office: Office, activated: dict[str, Any], has_code: bool
    ) -> None:
        ids = office.add_pupils(1)
        browser = as_("administrator")
        if has_code:
            ask(browser, ids=ids)
        office.change(ids[0], **activated)

        with nothing_written(app):
            asked = ask(browser, ids=ids, reset="y", current_password=PASSWORD)
            refused = ask(browser, ids=ids, reset="y", confirme="oui", current_password="x" * 5_000)

        for answer, status in ((asked, 200), (refused, 422)):
            page = Page(answer)
            assert answer.status_code == status
            assert "Demandé pour réinitialiser des comptes." in page.text
            assert ("1 code déjà créé" in page.text) is has_code
            assert ("1 mot de passe déjà choisi cesse" in page.text) is bool(activated)
            assert page.says("la réinitialisation n’en annule aucun") is not bool(activated)
        assert Page(refused).error("current_password")
        done = ask(browser, ids=ids, reset="y", confirme="oui", current_password=PASSWORD)
        assert done.status_code == 303
        assert "mot de passe" in Page(browser.get(ADDRESS)).text
        assert 'name="current_password"' not in browser.get(ADDRESS).text
