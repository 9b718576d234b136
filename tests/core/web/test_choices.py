"""Codes are chosen among those of the school: nobody types one, and nothing that was chosen is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.shown import Filter
from cpro.students.models import Division, Student, TeacherDivision
from tests.factories import World, make_mandate, make_mef, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import set_school

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]

DIVISIONS = [("2MELEC", "Seconde MELEC"), ("T MELEC", "Terminale")]


@pytest.mark.unit
def test_filter_of_codes_keeps_in_view_the_one_that_nobody_has() -> None:
    coded = Filter("division", coded="toutes les divisions", choices=lambda: DIVISIONS)

    assert coded.kind == "code"
    assert coded.offer("terminale")[1] == ("T MELEC", "T MELEC – Terminale", True)
    assert coded.offer("2BET")[-1] == ("2BET", "2BET", True)
    assert not any(is_chosen for _code, _words, is_chosen in coded.offer(""))


def choices_of(page: Page, name: str) -> set[str]:
    """Return the codes that a page offers under a name, in a drop-down or in boxes; fails where one may be typed."""
    controls = [each for each in page.main.iter() if each.get("name") == name and each.get("type") != "hidden"]
    assert {(each.tag, each.get("type")) for each in controls} <= {("select", None), ("input", "checkbox")}
    return {each.get("value") or "" for control in controls for each in [control, *control.iter("option")]}


def chosen_of(page: Page, name: str) -> str:
    select = next(each for each in page.main.iter("select") if each.get("name") == name)
    return next(each.get("value", "") for each in select.iter("option") if each.get("selected") is not None)


class TestPages:
    @pytest.fixture(autouse=True)
    def courses(self, app: Flask, world: World, arrange: Look) -> None:
        """Give both schools a course, and school A, without SIECLE, a pupil of a course that is in no list."""
        set_school(app, world.a.id, uses_siecle=False)
        with arrange() as session:
            session.add(make_mef(world.a.id, code="24725510310", label="2NDE PRO PIERRE"))
            session.add(make_mef(world.b.id, code="24799999999", label="2NDE PRO BETON"))
            session.add(make_student(world.a.id, last_name="QUARTZ", mef_code="24711111111"))
            session.get_one(Division, world.b.division_id).code = "2BET"
            taught = {"account_id": world.a.account_ids["teacher"], "division_id": world.a.division_id}
            session.add(TeacherDivision(establishment_id=world.a.id, **taught))

    @pytest.mark.parametrize(
        ("address", "role", "name"),
        [
            ("/admin/eleves/", "administrator", "division"),
            ("/admin/eleves/", "administrator", "mef"),
            ("/admin/eleves/new/", "administrator", "division"),
            ("/admin/eleves/new/", "administrator", "mef_code"),
            ("/admin/utilisateurs/", "administrator", "division"),
            ("/admin/utilisateurs/new/", "administrator", "divisions"),
            ("/eleves", "head", "division"),
            ("/eleves", "teacher", "division"),
        ],
    )
    def test_pages_offer_every_code_of_the_school_and_none_of_another(
        self, as_: As, address: str, role: str, name: str
    ) -> None:
        page = Page(as_(role).get(address))
        offered = choices_of(page, name)

        assert ("24725510310" if "mef" in name else "2ALP") in offered
        assert not {"2BET", "24799999999"} & {*offered}
        assert ("24711111111" in offered) is (name == "mef")  # borne by a pupil: it filters, but is not given

    def test_pages_filter_by_a_code_chosen_and_show_it(self, as_: As) -> None:
        page = Page(as_("administrator").get("/admin/eleves/?mef=24711111111"))

        assert "QUARTZ" in page.text
        assert chosen_of(page, "mef") == "24711111111"

    @pytest.mark.parametrize(("role", "is_offered"), [("head", True), ("support", True), ("inspector", False)])
    def test_pages_offer_courses_to_those_who_may_read_them(
        self, as_: As, world: World, arrange: Look, role: str, is_offered: bool
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world))
        browser = as_(role, enter="a" if role in ("support", "inspector") else None)

        offered = browser.get("/admin/eleves/")
        narrowed = browser.get("/admin/eleves/?mef=24711111111")

        assert offered.status_code == narrowed.status_code == 200
        assert ("24725510310" in offered.text) is is_offered
        assert ('name="mef"' in offered.text) is is_offered
        assert ("formation (MEF) «" in Page(narrowed).text) is is_offered

    def test_pages_of_a_teacher_leave_no_division_once_all_boxes_are_empty(self, as_: As, world: World) -> None:
        address = f"/admin/utilisateurs/edit/?id={world.a.account_ids['teacher']}"
        browser = as_("administrator")
        form = browser.form(address)
        assert form["divisions"] == "2ALP"

        answer = browser.post(address, {**form, "divisions": ""})

        assert answer.status_code == 303
        assert (
            "avant : 2ALP → ; après : (vide)"
            in Page(browser.get(f"/admin/utilisateurs/details/?id={world.a.account_ids['teacher']}")).text
        )

    def test_pages_of_a_pupil_keep_the_course_that_no_list_holds(self, as_: As, arrange: Look) -> None:
        with arrange() as session:
            student_id = session.scalars(select(Student.id).where(Student.last_name == "QUARTZ")).one()
        address = f"/admin/eleves/edit/?id={student_id}"

        assert as_("administrator").form(address)["mef_code"] == "24711111111"
