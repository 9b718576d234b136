"""What of a pupil the screen shows to whom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.students.models import Student
from tests.factories import World, make_mandate, make_mef
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
        wanted = {"/admin/imports", "/admin/parametres/transferts#uses_siecle-0"}
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
