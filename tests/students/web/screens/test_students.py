"""What of a pupil the screen shows to whom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.students.models import Student
from tests.factories import World, make_mandate, make_mef, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import set_school

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
COURSE = "24725510310"


@pytest.fixture
def pupil(world: World, arrange: Arrange) -> int:
    """Give a pupil a course, and the inspector a mandate."""
    with arrange() as session:
        session.add_all([make_mef(world.a.id, code=COURSE), make_mandate(world)])
        session.get_one(Student, world.a.student_id).mef_code = COURSE
    return world.a.student_id


class TestCourse:
    def test_course_is_read_by_those_who_read_courses(self, as_: As, pupil: int) -> None:
        for browser in (as_("administrator"), as_("head"), as_("support", enter="a")):
            assert COURSE in browser.get(f"/admin/eleves/details/?id={pupil}").text
        assert COURSE in as_("administrator").get("/admin/eleves/export/csv/").text

    def test_course_is_not_the_inspectors(self, app: Flask, as_: As, pupil: int) -> None:
        inspector = as_("inspector", enter="a")
        pages = ["details/?id={id}", "?recherche=secret", "?tri=mef_code", f"?mef={COURSE}"]

        told = {page: inspector.get(f"/admin/eleves/{page.format(id=pupil)}") for page in pages}

        assert {answer.status_code for answer in told.values()} == {200}
        assert "Formation (MEF)" not in told[pages[0]].text
        for page, answer in told.items():
            main = answer.text[answer.text.index("<main") :]
            assert COURSE not in main or page.startswith("?mef="), page
        for address in (f"/eleves/{pupil}", "/eleves", "/admin/divisions/", "/admin/diplomes/"):
            assert COURSE not in inspector.get(address).text, address


class TestKeptBySIECLE:
    @pytest.mark.any_database
    @pytest.mark.parametrize("screen", ["eleves", "divisions"])
    def test_kept_by_siecle_leads_to_the_imports_and_to_that_answer(
        self, app: Flask, as_: As, world: World, screen: str
    ) -> None:
        set_school(app, world.a.id, uses_siecle=True)
        row = world.a.student_id if screen == "eleves" else world.a.division_id
        wanted = {"/admin/imports", "/admin/parametres/transferts#siecle"}
        pages = ["", f"details/?id={row}", f"edit/?id={row}", "new/"]

        for page in pages:
            assert wanted <= {*Page(as_("administrator").get(f"/admin/{screen}/{page}")).links}, page
            if page in pages[:2]:
                assert not wanted & {*Page(as_("head").get(f"/admin/{screen}/{page}")).links}

    @pytest.mark.any_database
    def test_kept_by_siecle_is_said_beside_the_actions_on_several_pupils(
        self, app: Flask, as_: As, world: World
    ) -> None:
        note = "Changer de division, noter un départ ou un retour : dans SIECLE"
        for uses_siecle in (True, False):
            set_school(app, world.a.id, uses_siecle=uses_siecle)
            assert (note in Page(as_("administrator").get("/admin/eleves/")).text) is uses_siecle

    @pytest.mark.any_database
    def test_kept_by_siecle_is_not_said_of_a_row_that_siecle_does_not_know(
        self, app: Flask, as_: As, world: World, arrange: Arrange
    ) -> None:
        set_school(app, world.a.id, uses_siecle=True)
        here, browser = world.a.student_id, as_("administrator")
        its_files, unknown = "viennent de ses fichiers", "SIECLE ne connaît pas cette fiche, qui ne se corrige pas ici."
        leaves = "Le prochain import de SIECLE, s’il n’a pas l’élève, propose son départ."
        told: list[tuple[bool, ...]] = []
        for values in ({}, {"is_active": False, "departed_on": date(2026, 9, 1)}, {"siecle_id": "71"}):
            with arrange() as session:
                for name, value in values.items():
                    setattr(session.get_one(Student, here), name, value)
            for address in (f"details/?id={here}", f"edit/?id={here}"):
                text = Page(browser.get(f"/admin/eleves/{address}")).text
                told.append((unknown in text, leaves in text, its_files in text))
            answer = browser.post(f"/admin/eleves/edit/?id={here}", {"last_name": "Autre"})
            assert (answer.status_code, unknown in Page(answer).text) == (403, told[-1][0])

        assert told[::2] == told[1::2] == [(True, True, False), (True, False, False), (False, False, True)]

    @pytest.mark.any_database
    def test_kept_by_siecle_is_not_said_of_an_emptied_duplicate(
        self, app: Flask, as_: As, world: World, arrange: Arrange
    ) -> None:
        set_school(app, world.a.id, uses_siecle=True)
        with arrange() as session:
            session.add(
                emptied := make_student(world.a.id, is_active=False, merged_into_id=world.a.student_id, ine=None)
            )
            session.flush()
            address = f"/admin/eleves/details/?id={emptied.id}"

        page = Page(as_("administrator").get(address))

        assert "Cette fiche était un doublon, réuni à une autre" in page.text
        assert "viennent de ses fichiers" not in page.text
        assert "SIECLE ne connaît pas" not in page.text
        assert "/admin/imports" not in page.links
