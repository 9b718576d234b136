"""A page below a list leads back to it as it was left and to the rows beside; a list offers its last filter again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.students.models import Student, TeacherDivision
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
LIST = "/admin/eleves/"


@pytest.fixture(autouse=True)
def pupils(world: World, arrange: Look) -> dict[str, int]:
    """Give both schools three pupils in a division of the teacher, one of them gone; return ids of school A."""
    with arrange() as session:
        for school in (world.a, world.b):
            for name in ("MICA A", "MICA B", "MICA C"):
                gone = {"is_active": name != "MICA B", "division_id": school.division_id}
                session.add(make_student(school.id, last_name=name, first_name="Léo", **gone))
            taught = {"account_id": school.account_ids["teacher"], "division_id": school.division_id}
            session.add(TeacherDivision(establishment_id=school.id, **taught))
        session.flush()
        ours = select(Student.last_name, Student.id).where(Student.establishment_id == world.a.id)
        return {name: student_id for name, student_id in session.execute(ours)}


def details(student_id: int) -> str:
    return f"{LIST}details/?id={student_id}"


class TestBack:
    def test_back_leads_to_the_list_with_filter_sort_and_page_size(self, as_: As, pupils: dict[str, int]) -> None:
        browser = as_("administrator")
        asked = f"{LIST}?recherche=mica&situation=presents&tri=name&ordre=desc&lignes=50"
        browser.get(asked)

        page = Page(browser.get(details(pupils["MICA A"])))

        assert page.links.count(asked) == 2  # breadcrumbs and « Revenir à la liste »
        assert page.trail == [("Élèves", asked), ("Léo MICA A", "")]

    def test_back_leads_to_the_first_page_for_whoever_returned_to_it(
        self, as_: As, world: World, arrange: Look, pupils: dict[str, int]
    ) -> None:
        with arrange() as session:
            session.add_all(make_student(world.a.id, last_name=f"OPALE {n:02}") for n in range(25))
        browser = as_("administrator")
        browser.get(Page(browser.get(LIST)).neighbour("next"))
        browser.get(LIST)

        assert Page(browser.get(details(pupils["MICA A"]))).trail[0] == ("Élèves", LIST)

    def test_back_keeps_nothing_of_one_person_for_the_next(self, as_: As, pupils: dict[str, int]) -> None:
        as_("administrator").get(f"{LIST}?recherche=mica")

        assert LIST in Page(as_("head").get(details(pupils["MICA A"]))).links


class TestFollowed:
    """Whoever goes from row to row past the end of a page comes back to the page where the last row stands."""

    def test_followed_to_the_next_page_back_leads_there(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all(make_student(world.a.id, last_name=f"OPALE {n:02}", is_active=False) for n in range(25))
        browser = as_("administrator")
        left = f"{LIST}?recherche=opale&situation=partis&lignes=20"
        rows = [each for each in Page(browser.get(left)).links if "details" in each]

        within = Page(browser.get(rows[3]))
        assert f"{LIST}?recherche=opale&situation=partis" in within.links
        last = Page(browser.get(rows[-1]))
        assert f"{LIST}?recherche=opale&situation=partis" in last.links
        beyond = Page(browser.get(last.neighbour("next")))

        back = next(each for each in beyond.links if each.startswith(f"{LIST}?"))
        assert back.startswith(f"{LIST}?recherche=opale&situation=partis&apres=")
        again = Page(browser.get(back))
        assert "OPALE 20" in again.text
        assert "OPALE 19" not in again.text

    def test_followed_by_a_row_that_the_list_does_not_hold_it_stays_where_it_was(
        self, as_: As, pupils: dict[str, int]
    ) -> None:
        browser = as_("administrator")
        browser.get(f"{LIST}?situation=partis")

        assert f"{LIST}?situation=partis" in Page(browser.get(details(pupils["MICA A"]))).links

    def test_followed_among_the_pupils_of_a_teacher(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            school = world.a
            session.add_all(
                make_student(school.id, last_name=f"MICA {n:02}", division_id=school.division_id) for n in range(55)
            )
        browser = as_("teacher")
        browser.get("/eleves?recherche=mica")
        ids = [each for each in Page(browser.get("/eleves?recherche=mica")).links if each.rpartition("/")[2].isdigit()]

        beyond = Page(browser.get(Page(browser.get(ids[-1])).neighbour("next")))

        back = next(each for each in beyond.links if each.startswith("/eleves?"))
        assert back.startswith("/eleves?recherche=mica&apres=")
        assert ids[-1] not in Page(browser.get(back)).links


class TestNeighbours:
    def test_neighbours_are_those_of_the_list_as_it_was_left(self, as_: As, pupils: dict[str, int]) -> None:
        browser = as_("administrator")
        browser.get(f"{LIST}?recherche=mica&situation=presents")

        page = Page(browser.get(details(pupils["MICA A"])))

        assert page.neighbour("next") == details(pupils["MICA C"])  # neither the gone one nor another school's
        browser.get(f"{LIST}?recherche=mica&situation=presents&tri=name&ordre=desc")
        assert Page(browser.get(details(pupils["MICA A"]))).neighbour("prev") == details(pupils["MICA C"])
        assert Page(browser.get(details(pupils["MICA A"]))).neighbour("next") == ""

    def test_neighbours_of_a_teacher_are_pupils_of_their_divisions(
        self, as_: As, world: World, arrange: Look, pupils: dict[str, int]
    ) -> None:
        with arrange() as session:
            session.add(make_student(world.a.id, last_name="MICA AA", first_name="Ana", division_id=None))
        page = Page(as_("teacher").get(f"/eleves/{pupils['MICA A']}"))

        assert page.neighbour("next") == f"/eleves/{pupils['MICA C']}"
        assert "/eleves" in page.links

    def test_neighbours_are_not_for_the_pupil(self, as_: As, world: World) -> None:
        page = Page(as_("student").get(f"/eleves/{world.a.student_id}", follow_redirects=True))

        assert (page.neighbour("next"), page.neighbour("prev")) == ("", "")
        assert "/eleves" not in page.links


class TestCloseRows:
    def test_close_rows_are_kept_in_every_list_until_asked_otherwise(self, as_: As) -> None:
        browser = as_("administrator")
        assert "listing-close" not in browser.get(LIST).text
        browser.get(f"{LIST}?rangs=serres")
        assert "listing-close" in browser.get("/admin/divisions/").text
        assert "listing-close" in browser.get(f"{LIST}?rangs=autre").text

        browser.get(f"{LIST}?rangs=normaux")

        assert "listing-close" not in browser.get("/admin/divisions/").text


class TestInUse:
    def test_in_use_each_filter_is_seen_and_one_press_takes_it_away(self, as_: As) -> None:
        page = Page(as_("administrator").get(f"{LIST}?recherche=mica&situation=partis&lignes=50"))

        assert f"{LIST}?recherche=mica&lignes=50" in page.links
        assert f"{LIST}?situation=partis&lignes=50" in page.links

    def test_in_use_the_last_filter_is_offered_not_applied(self, as_: As) -> None:
        browser = as_("administrator")
        assert "Reprendre" not in Page(browser.get(LIST)).text
        browser.get(f"{LIST}?situation=partis")

        page = Page(browser.get(LIST))

        assert "Reprendre : partis" in page.text
        assert f"{LIST}?situation=partis" in page.links
        assert "MICA A" in page.text
