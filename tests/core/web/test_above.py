"""A page below a list leads back to it as it was left, and to the rows beside: each browser tab to its own list."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urlencode

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
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
            session.get_one(Establishment, school.id).uses_siecle = False
        session.flush()
        ours = select(Student.last_name, Student.id).where(Student.establishment_id == world.a.id)
        return {name: student_id for name, student_id in session.execute(ours)}


def details(student_id: int, listed: str = "") -> str:
    """Return the address of a row, below the list of a query."""
    return f"{LIST}details/?id={student_id}" + (f"&{urlencode({'liste': listed})}" if listed else "")


def overview(student_id: int, listed: str = "") -> str:
    """Return the address of the records of a pupil, below the list of a query."""
    return f"/eleves/{student_id}" + (f"?{urlencode({'liste': listed})}" if listed else "")


class TestBack:
    def test_back_leads_to_the_list_with_filter_sort_and_page_size(self, as_: As, pupils: dict[str, int]) -> None:
        browser = as_("administrator")
        query = "recherche=mica&situation=presents&tri=name&ordre=desc&lignes=50"
        rows = Page(browser.get(f"{LIST}?{query}")).links

        assert details(pupils["MICA A"], query) in rows
        page = Page(browser.get(details(pupils["MICA A"], query)))

        back = f"{LIST}?{query}#ligne-{pupils['MICA A']}"
        assert page.links.count(back) == 2  # breadcrumbs and « Revenir à la liste »
        assert page.trail == [("Élèves", back), ("Léo MICA A", "")]
        rows = Page(browser.get(back.partition("#")[0])).main.iter("tr")
        assert [row.get("id") for row in rows if row.get("id")] == [
            f"ligne-{pupils[name]}" for name in ("MICA C", "MICA A")
        ]

    def test_back_leads_to_the_whole_list_for_whoever_comes_from_it(self, as_: As, pupils: dict[str, int]) -> None:
        browser = as_("administrator")
        browser.get(f"{LIST}?situation=partis")

        assert details(pupils["MICA A"]) in Page(browser.get(LIST)).links
        assert Page(browser.get(details(pupils["MICA A"]))).trail[0] == ("Élèves", f"{LIST}#ligne-{pupils['MICA A']}")

    def test_back_is_kept_through_a_correction(self, as_: As, pupils: dict[str, int]) -> None:
        browser, query = as_("administrator"), "recherche=mica"
        edit = details(pupils["MICA A"], query).replace("details", "edit")
        assert edit in Page(browser.get(details(pupils["MICA A"], query))).links

        answer = browser.post(edit, {**Page(browser.get(edit)).values(), "first_name": "Luc"})

        assert answer.status_code == 303, answer.text
        assert Page(browser.get(answer.location)).trail[0] == ("Élèves", f"{LIST}?{query}#ligne-{pupils['MICA A']}")

    def test_back_is_kept_through_an_action_on_several_rows(self, as_: As, pupils: dict[str, int]) -> None:
        browser, query = as_("administrator"), "recherche=mica&situation=presents"
        browser.get(f"{LIST}?{query}")
        ticked = {"action": "depart", "rowid": [pupils["MICA A"], pupils["MICA C"]]}

        page = Page(browser.post(f"{LIST}action/?{query}", ticked, follow_redirects=True))

        again = f"{LIST}?{query}&coches={pupils['MICA A']}%2C{pupils['MICA C']}&action=depart"
        assert page.links.count(again) == 1  # « Ne rien changer »
        asked = next(each for each in page.main.iter("form") if each.get("method") == "post").get("action", "")
        done = browser.post(asked, {"ids": f"{pupils['MICA A']},{pupils['MICA C']}", "departed_on": "2026-09-10"})
        assert done.location == f"{LIST}?{query}"

    def test_back_keeps_two_tabs_apart(self, as_: As, pupils: dict[str, int]) -> None:
        browser = as_("administrator")
        here, there = "recherche=mica&situation=presents", "recherche=mica&situation=partis"
        first = next(each for each in Page(browser.get(f"{LIST}?{here}")).links if "details" in each)
        second = next(each for each in Page(browser.get(f"{LIST}?{there}")).links if "details" in each)

        assert Page(browser.get(second)).trail[0][1].startswith(f"{LIST}?{there}#ligne-")
        page = Page(browser.get(first))

        assert page.trail[0][1] == f"{LIST}?{here}#ligne-{pupils['MICA A']}"
        assert page.neighbour("next") == details(pupils["MICA C"], here)

    @pytest.mark.parametrize(
        "listed",
        [
            "https://ailleurs.example/",
            "//ailleurs.example/?situation=partis",
            "javascript:alert(1)",
            "situation=nulle&tri=nul&apres=abc&lignes=7",
            "&&==%%",
            "recherche=%00",
            "situation=partis\r\nSet-Cookie: a=b",
            "recherche=" + "x" * 400,
        ],
    )
    def test_back_from_what_somebody_made_up_is_the_whole_list(
        self, as_: As, pupils: dict[str, int], listed: str
    ) -> None:
        for role, address, base in (
            ("administrator", details(pupils["MICA A"], listed), LIST),
            ("teacher", overview(pupils["MICA A"], listed), "/eleves"),
        ):
            answer = as_(role).get(address)

            assert answer.status_code == 200
            assert Page(answer).trail[0][1] == f"{base}#ligne-{pupils['MICA A']}"
            assert not [each for each in Page(answer).links if each.startswith(("//", "javascript:", "https://ai"))]

    def test_back_of_a_scenario_is_that_of_its_tab(self, as_: As, world: World) -> None:
        browser = as_("teacher")
        listed = Page(browser.get("/scenarios?auteur=moi")).links
        shown = [each for each in listed if each.startswith("/scenarios/") and "liste=auteur%3Dmoi" in each]

        assert shown, listed
        assert Page(browser.get(shown[0])).trail[0] == ("Scénarios", "/scenarios?auteur=moi")
        assert Page(browser.get(shown[0].partition("?")[0])).trail[0] == ("Scénarios", "/scenarios")


class TestFollowed:
    """Whoever goes from row to row past the end of a page comes back to the page where the last row stands."""

    def test_followed_to_the_next_page_back_leads_there(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all(make_student(world.a.id, last_name=f"OPALE {n:02}", is_active=False) for n in range(25))
        browser = as_("administrator")
        left = f"{LIST}?recherche=opale&situation=partis&lignes=20"
        rows = [each for each in Page(browser.get(left)).links if "details" in each]

        within = Page(browser.get(rows[3]))
        assert within.trail[0][1].partition("#")[0] == f"{LIST}?recherche=opale&situation=partis"
        assert (within.neighbour("prev"), within.neighbour("next")) == (rows[2], rows[4])
        last = Page(browser.get(rows[-1]))
        assert last.trail[0][1].partition("#")[0] == f"{LIST}?recherche=opale&situation=partis"
        beyond = Page(browser.get(last.neighbour("next")))

        back = next(each for each in beyond.links if each.startswith(f"{LIST}?"))
        assert back.startswith(f"{LIST}?recherche=opale&situation=partis&apres=")
        again = Page(browser.get(back))
        assert "OPALE 20" in again.text
        assert "OPALE 19" not in again.text

    def test_followed_from_one_end_to_the_other_and_back(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all(make_student(world.a.id, last_name=f"OPALE {n:02}") for n in range(23))
        browser = as_("administrator")
        address = next(each for each in Page(browser.get(f"{LIST}?recherche=opale")).links if "details" in each)
        walked = []
        while address:
            page = Page(browser.get(address))
            walked.append(page.trail[-1][0].rpartition(" ")[2])
            address = page.neighbour("next")
        back = 1
        while address := page.neighbour("prev"):
            page = Page(browser.get(address))
            back += 1

        assert walked == [f"{n:02}" for n in range(23)]
        assert back == 23
        assert page.trail[-1][0].endswith("00")

    def test_followed_by_a_row_that_the_list_does_not_hold_it_stays_where_it_was(
        self, as_: As, pupils: dict[str, int]
    ) -> None:
        page = Page(as_("administrator").get(details(pupils["MICA A"], "situation=partis")))

        assert page.trail[0][1].partition("#")[0] == f"{LIST}?situation=partis"

    def test_followed_among_the_pupils_of_a_teacher(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            school = world.a
            session.add_all(
                make_student(school.id, last_name=f"MICA {n:02}", division_id=school.division_id) for n in range(55)
            )
        browser = as_("teacher")
        rows = [each for each in Page(browser.get("/eleves?recherche=mica")).links if "?liste=" in each]

        beyond = Page(browser.get(Page(browser.get(rows[-1])).neighbour("next")))

        back = next(each for each in beyond.links if each.startswith("/eleves?"))
        assert back.startswith("/eleves?recherche=mica&apres=")
        assert "MICA 00" not in Page(browser.get(back)).text


class TestNeighbours:
    def test_neighbours_are_those_of_the_list_as_it_was_left(self, as_: As, pupils: dict[str, int]) -> None:
        browser, query = as_("administrator"), "recherche=mica&situation=presents"

        page = Page(browser.get(details(pupils["MICA A"], query)))

        # neither the gone one nor another school's
        assert page.neighbour("next") == details(pupils["MICA C"], query)
        query += "&tri=name&ordre=desc"
        assert Page(browser.get(details(pupils["MICA A"], query))).neighbour("prev") == details(pupils["MICA C"], query)
        assert Page(browser.get(details(pupils["MICA A"], query))).neighbour("next") == ""

    def test_neighbours_of_a_teacher_are_pupils_of_their_divisions(
        self, as_: As, world: World, arrange: Look, pupils: dict[str, int]
    ) -> None:
        with arrange() as session:
            session.add(make_student(world.a.id, last_name="MICA AA", first_name="Ana", division_id=None))
        page = Page(as_("teacher").get(overview(pupils["MICA A"])))

        assert page.neighbour("next") == overview(pupils["MICA C"])
        assert page.links.count(f"/eleves#ligne-{pupils['MICA A']}") == 2  # breadcrumbs and « Revenir à la liste »
