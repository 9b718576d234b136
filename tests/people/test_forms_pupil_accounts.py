"""« Créer un utilisateur » for a pupil: which pupil it is, whose names it bears, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.students.models import Student
from tests.factories import NOW, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written
from tests.people.conftest import logins

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


class TestCreatePupilAccount:
    NEW = "/admin/utilisateurs/new/"

    def test_create_pupil_account_a_pupils_account_asks_which_pupil(
        self, app: Flask, as_: As, pupils: list[int]
    ) -> None:
        browser = as_("administrator")
        browser.get(self.NEW)

        with nothing_written(app):
            page = Page(browser.post(self.NEW, {"role": "student", "last_name": "Amb", "first_name": ""}))

        assert "Choisissez l’élève" in page.error("student")
        offered = [option.get("value") for option in page.main.iter("option")]
        assert str(pupils[0]) in offered
        assert str(pupils[2]) not in offered  # another name
        assert str(pupils[3]) not in offered  # gone
        assert str(pupils[4]) not in offered  # has one

    def test_create_pupil_account_says_that_a_search_found_no_one(self, as_: As, pupils: list[int]) -> None:
        browser = as_("administrator")
        browser.get(self.NEW)

        page = Page(browser.post(self.NEW, {"role": "student", "last_name": "<b>Saphir", "first_name": ""}))

        assert "Aucun élève sans compte ne répond à « <b>Saphir » : tous sont proposés." in page.text
        assert str(pupils[2]) in [option.get("value") for option in page.main.iter("option")]

    def test_create_pupil_account_its_names_are_the_pupils(
        self, app: Flask, as_: As, pupils: list[int], platform: Look
    ) -> None:
        browser = as_("administrator")
        browser.get(self.NEW)

        answer = browser.post(
            self.NEW, {"role": "student", "student": str(pupils[2]), "civility": "M.", "email": "elie@ecole.example"}
        )

        assert answer.status_code == 303, answer.text
        assert logins(platform, pupils)[2] == "elie.usage"
        details = Page(browser.get(answer.location)).text
        assert "USAGE Élie (1 CAP)" in details
        assert "elie@ecole.example" in details

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"last_name": "Autre", "first_name": "Nom"}, "student"),
            ({"role": "teacher", "last_name": "Quartz", "first_name": "Zoé"}, "student"),
            ({"divisions": "2ALP"}, "divisions"),
            ({"email": "a@b"}, "email"),
        ],
    )
    def test_create_pupil_account_refuses(
        self, app: Flask, as_: As, pupils: list[int], fields: dict[str, str], field: str
    ) -> None:
        browser = as_("administrator")
        browser.get(self.NEW)

        with nothing_written(app):
            answer = browser.post(self.NEW, {"role": "student", "student": str(pupils[0]), **fields})

        assert answer.status_code == 422
        assert Page(answer).error(field)

    @pytest.mark.parametrize("which", ["served", "gone", "other school", "word"])
    def test_create_pupil_account_refuses_a_pupil_who_cannot_have_it(
        self, app: Flask, as_: As, world: World, pupils: list[int], which: str, arrange: Look
    ) -> None:
        with arrange() as session:
            session.add(theirs := make_student(world.b.id, last_name="Secret-beta"))
            session.flush()
            ids = {"served": str(pupils[4]), "gone": str(pupils[3]), "other school": str(theirs.id), "word": "x"}
        browser = as_("administrator")
        browser.get(self.NEW)

        with nothing_written(app):
            answer = browser.post(self.NEW, {"role": "student", "student": ids[which]})

        assert answer.status_code == 422
        assert Page(answer).error("student")
        assert "Secret-beta" not in answer.text

    def test_create_pupil_account_a_correction_keeps_the_pupils_name(
        self, app: Flask, as_: As, pupils: list[int], platform: Look
    ) -> None:
        browser = as_("administrator")
        with platform() as session:
            account_id = session.get_one(Student, pupils[4]).account_id
        address = f"/admin/utilisateurs/edit/?id={account_id}"

        with nothing_written(app):
            answer = browser.post(address, browser.form(address) | {"last_name": "Autre"})

        assert answer.status_code == 422
        assert "celui de son élève" in Page(answer).error("last_name")
