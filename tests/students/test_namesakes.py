"""Who may be the pupil typed in a form: asked before anything is created, answered by « oui »."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.students.models import Student
from cpro.students.namesakes import may_be_same
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import nothing_written, set_school

NEW = "/admin/eleves/new/"
BORN = date(2009, 2, 1)
TYPED = {"last_name": "Agate", "first_name": "Zoé", "birth_date": "2009-02-01"}
As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]


@pytest.mark.parametrize(
    ("born", "known", "present", "apart", "same"),
    [
        (BORN, BORN, False, True, True),
        (BORN, date(2010, 1, 1), True, False, True),
        (BORN, date(2010, 1, 1), True, True, False),
        (BORN, date(2010, 1, 1), False, False, False),
        (None, None, False, False, True),
        (None, BORN, True, False, True),
    ],
)
def test_may_be_same(born: date | None, known: date | None, present: bool, apart: bool, same: bool) -> None:
    assert may_be_same(born, known, is_present=present, has_own_number=apart) is same


class TestCreatePupil:
    @pytest.fixture(autouse=True)
    def known(self, app: Flask, world: World, arrange: Look) -> Iterator[None]:
        """Give school A, which does not use SIECLE, a pupil; and school B another."""
        set_school(app, world.a.id, uses_siecle=False)
        with arrange() as session:
            for school in (world.a, world.b):
                session.add(make_student(school.id, last_name="AGATE", first_name="Zoe", birth_date=BORN))
        yield

    def test_create_pupil_a_namesake_is_asked_about_and_nothing_typed_is_lost(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        browser.get(NEW)

        with nothing_written(app):
            answer = browser.post(NEW, TYPED)

        page = Page(answer)
        assert answer.status_code == 409
        assert "Est-ce la même personne ?" in page.text
        assert "Ouvrir la fiche : Zoe AGATE (01/02/2009)" in page.text
        assert 'value="2009-02-01"' in answer.text
        assert answer.text.count("Ouvrir la fiche") == 1  # the other school's is not

    def test_create_pupil_confirmed_creates_another_person(self, as_: As, platform: Look, world: World) -> None:
        browser = as_("administrator")
        browser.get(NEW)
        browser.post(NEW, TYPED)

        answer = browser.post(NEW, {**TYPED, "confirmed": "oui"})

        assert answer.status_code == 303
        assert self.count(platform, world) == 2

    def test_create_pupil_posted_twice_makes_one(self, as_: As, platform: Look, world: World) -> None:
        browser = as_("administrator")
        typed = {**TYPED, "last_name": "Onyx"}

        answers = [browser.post(NEW, typed).status_code for _ in range(2)]

        assert answers == [303, 409]
        assert self.count(platform, world, "Onyx") == 1

    @pytest.mark.parametrize("other", [{"first_name": "Zoélie"}, {"last_name": "Agathe"}])
    def test_create_pupil_another_name_asks_nothing(self, as_: As, other: dict[str, Any]) -> None:
        assert as_("administrator").post(NEW, {**TYPED, **other}).status_code == 303

    def test_create_pupil_a_wrong_field_is_told_first(self, as_: As) -> None:
        page = as_("administrator").post(NEW, {**TYPED, "birth_date": "hier", "confirmed": "oui"})

        assert page.status_code == 422

    def count(self, platform: Look, world: World, name: str = "agate") -> int:
        with platform() as session:
            found = select(func.count()).where(
                func.lower(Student.last_name) == name.lower(), Student.establishment_id == world.a.id
            )
            return session.scalar(found) or 0
