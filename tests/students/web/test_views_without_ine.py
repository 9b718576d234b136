"""Students without INE: who is listed, who is counted, by pages, in the tab Transferts, at a constant cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from cpro.students.models import Student
from tests.factories import World, make_student
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, walk
from tests.helpers.records import set_school, set_up
from tests.helpers.statements import statements_sent

URL = "/admin/eleves-sans-ine"
TAB = "/admin/parametres/transferts"
TODAY = date(2026, 11, 23)
As = Callable[..., Browser]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """Stop the clock on `TODAY`."""
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), tick=False):
        yield


def add_students(app: Flask, school_id: int, *students: dict[str, Any]) -> None:
    """Add students without INE to a school."""

    def change(session: Session) -> None:
        session.add_all([make_student(school_id, **{"ine": None, **values}) for values in students])

    set_up(app, change)


def add_many(app: Flask, world: World, number: int) -> None:
    """Add active students of the division to school A, beside the one who is there."""
    students = [{"last_name": f"Élève-{rank:03}", "division_id": world.a.division_id} for rank in range(number)]
    add_students(app, world.a.id, *students)


class TestWithoutINEPage:
    def test_without_ine_page_leads_to_each_student(self, app: Flask, as_: As, world: World) -> None:
        add_many(app, world, 1)
        browser = as_("administrator")

        link = next(each for each in Page(browser.get(URL)).main.iter("a") if "000" in (each.text or ""))

        assert "Élève-000".upper() in Page(browser.get(link.get("href") or "")).text

    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_without_ine_page_is_refused_to_those_without_the_right(self, as_: As, role: str) -> None:
        assert as_(role).get(URL).status_code == 403

    @pytest.mark.parametrize("role", ["administrator", "head", "support"])
    def test_without_ine_page_lists_the_school_with_the_remedy(self, as_: As, role: str) -> None:
        browser = as_(role, **({"enter": "a"} if role == "support" else {}))

        page = Page(browser.get(URL))

        assert page.rows() == [["SECRET-ALPHA", "Zoé", "2ALP", "Présent"]]
        assert "/admin/eleves/?ine=sans" in page.links
        assert "complétez-le dans SIECLE, puis importez à nouveau" in page.text

    @pytest.mark.parametrize("page", [URL, TAB])
    def test_without_ine_page_a_school_without_siecle_is_sent_to_its_own_table(
        self, app: Flask, as_: As, world: World, page: str
    ) -> None:
        add_many(app, world, 1)
        set_school(app, world.a.id, uses_siecle=False)

        text = Page(as_("administrator").get(page)).text

        assert "complétez-le dans votre tableau des élèves" in text
        assert "dans SIECLE, puis" not in text

    def test_without_ine_page_says_when_and_counts_apart_those_who_left(
        self, app: Flask, as_: As, world: World
    ) -> None:
        gone = {"is_active": False, "departed_on": date(2026, 7, 4), "usage_name": "Mica", "last_name": "Jaspe"}
        add_students(app, world.a.id, gone, {"last_name": "<script>alert(1)</script>"})

        answer = as_("administrator").get(URL)

        page = Page(answer)
        assert ["JASPE (nom d’usage : MICA)", "Zoé", "aucune", "Parti le 04/07/2026"] in page.rows()
        assert "2 élèves présents, 1 ancien élève" in page.text
        assert "<script>alert" not in answer.text.lower()

    def test_without_ine_page_when_all_have_one_says_so(self, app: Flask, as_: As, world: World) -> None:
        set_up(app, lambda session: setattr(session.get_one(Student, world.a.student_id), "ine", "123456789AB"))
        browser = as_("administrator")

        assert "Tous vos élèves ont un INE" in Page(browser.get(URL)).text
        assert "Tous vos élèves ont un INE" in Page(browser.get(TAB)).text

    def test_without_ine_page_a_school_without_pupils_is_shown_nothing_of_them(
        self, app: Flask, as_: As, world: World
    ) -> None:
        def empty(session: Session) -> None:
            for pupil in session.scalars(select(Student).where(Student.establishment_id == world.a.id)):
                pupil.is_active, pupil.ine = False, "123456789AB"
            session.get_one(Establishment, world.a.id).email = ""

        set_up(app, empty)
        browser = as_("administrator")

        for address in (URL, TAB):
            text = Page(browser.get(address)).text
            assert "Aucun élève n’est encore présent" in text
            assert "Tous vos élèves" not in text
        particulars = Page(browser.get("/admin/parametres/etablissement")).text
        assert "aucun apprenant ne pourra exporter son passeport" in particulars
        assert "0 apprenant" not in particulars

    @pytest.mark.parametrize(
        ("uses_siecle", "offered", "not_offered"),
        [(True, "les fichiers de SIECLE", "nos modèles"), (False, "les tableaux de nos modèles", "fichiers de SIECLE")],
    )
    def test_without_ine_page_the_dashboard_offers_the_files_of_such_a_school(
        self, app: Flask, as_: As, world: World, uses_siecle: bool, offered: str, not_offered: str
    ) -> None:
        def empty(session: Session) -> None:
            for pupil in session.scalars(select(Student).where(Student.establishment_id == world.a.id)):
                pupil.is_active = False
            session.get_one(Establishment, world.a.id).uses_siecle = uses_siecle

        set_up(app, empty)
        text = Page(as_("administrator").get("/admin/")).text
        sentence = text[text.index("Aucun élève n’est encore là. ") :].split(".")[1]

        assert offered in sentence
        assert not_offered not in sentence

    @pytest.mark.parametrize("asked", ["page=2", "apres=mot", "apres=99999999999999999999", "avant=-1", "avant=0"])
    def test_without_ine_page_an_odd_place_shows_the_first_page(
        self, app: Flask, as_: As, world: World, asked: str
    ) -> None:
        add_many(app, world, 60)

        answer = as_("administrator").get(f"{URL}?{asked}")

        assert answer.status_code == 200
        assert len(Page(answer).rows()) == 50

    def test_without_ine_page_pages_follow_one_another_without_loss(self, app: Flask, as_: As, world: World) -> None:
        add_many(app, world, 60)
        gone = [{"last_name": f"Ancien-{rank:03}", "is_active": False} for rank in range(45)]
        add_students(app, world.a.id, *gone)

        names = [row[0] for row in walk(as_("administrator"), URL)]

        assert names == [
            *(f"ÉLÈVE-{rank:03}" for rank in range(60)),
            "SECRET-ALPHA",
            *(f"ANCIEN-{rank:03}" for rank in range(45)),
        ]

    @pytest.mark.parametrize("url", [URL, TAB])
    def test_without_ine_page_costs_as_many_statements_for_sixty_students_as_for_five(
        self, app: Flask, as_: As, world: World, url: str
    ) -> None:
        browser = as_("administrator")
        add_many(app, world, 5)
        browser.get(url)
        with statements_sent(app) as few:
            browser.get(url)
        add_many(app, world, 55)

        with statements_sent(app) as many:
            browser.get(url)

        assert len(many) == len(few) <= 20


class TestWithoutINEInTheTabTransferts:
    def test_without_ine_in_the_tab_shows_the_first_ones_and_leads_to_all(
        self, app: Flask, as_: As, world: World
    ) -> None:
        add_many(app, world, 60)

        page = Page(as_("administrator").get(TAB))

        assert "Liste des élèves sans INE qui ne pourront pas être transférés" in page.text
        assert len(page.rows()) == 10
        assert "Voir tous les élèves sans INE (61)" in page.text

    def test_without_ine_in_the_tab_says_how_many_cannot_be_transferred(
        self, app: Flask, as_: As, world: World
    ) -> None:
        add_many(app, world, 3)
        add_students(app, world.a.id, {"is_active": False, "departed_on": date(2026, 7, 4)})

        page = Page(as_("administrator").get(TAB))

        assert "4 élèves sans INE et 1 ancien élève sans INE ne pourront pas être transférés." in page.text
        assert "1 élève sans INE ne pourra pas être transféré." in Page(as_("administrator", "b").get(TAB)).text
