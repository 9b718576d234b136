"""Columns that are not recognised are asked about; the answer is read, and remembered for the school’s next table."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.establishments.models import Establishment
from cpro.imports.models import ImportQuestion
from cpro.students.models import Student
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.deposits import analyse, apply
from tests.helpers.imports import Desk
from tests.helpers.pages import Page

As = Callable[..., Browser]
TABLE = (
    "eleves.csv",
    "Nom;Prénom;Classe;Né(e) le;Identif. élève;Régime\nONYX;Zoé;2CAP;03/04/2010;990000011DB;DP\n".encode(),
)
INE, NUMBER = "5", "9"
pytestmark = pytest.mark.usefixtures("october")


@pytest.fixture(autouse=True)
def without_siecle(desk: Desk, world: World) -> None:
    """Let both schools say that they do not use SIECLE."""
    for school in ("a", "b"):
        with desk.open(school) as session:
            session.get_one(Establishment, world.school(school).id).uses_siecle = False


@pytest.fixture
def admin(as_: As) -> Browser:
    """Return the administrator's browser."""
    return as_("administrator")


def questions(desk: Desk, school: str = "a") -> dict[str, ImportQuestion]:
    """Return what is asked of columns, by what is asked about."""
    with desk.look(school) as session:
        found = session.scalars(select(ImportQuestion).where(ImportQuestion.object_type == "column")).all()
        return {each.person.split("\u202f")[1]: each for each in found}


def answer(browser: Browser, desk: Desk, address: str, **given: str) -> str:
    """Answer as the page posts, {title's first word: number}; return the page that follows."""
    fields = {questions(desk)[title].field: number for title, number in given.items()}
    posted = browser.post(f"{address}/reponses", {**browser.form(address), **fields}, follow_redirects=True)
    assert posted.status_code == 200
    return Page(posted).text


def ines(desk: Desk) -> list[str | None]:
    with desk.look() as session:
        return list(session.scalars(select(Student.ine).where(Student.last_name == "ONYX")))


class TestAnswer:
    def test_answer_about_a_column_is_read_and_remembered_for_the_next_table(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        address = analyse(admin, TABLE)
        page = Page(admin.get(address)).text
        assert "Colonne « Identif. élève »" in page
        assert "Est-ce « INE » ?" in page
        assert questions(desk)["Identif. élève"].answer is None

        page = answer(admin, desk, address, **{"Identif. élève": INE, "Régime": "0"})
        assert "2 réponses enregistrées" in page
        apply(app, admin, address)
        assert ines(desk) == ["990000011DB"]

        again = analyse(admin, TABLE)
        assert {title: each.answer for title, each in questions(desk).items() if each.run_id == 2} == {
            "Identif. élève": 5,
            "Régime": 0,
        }
        assert "Est-ce «" not in Page(admin.get(f"{again}/constats")).text

    def test_answer_left_blank_is_none_and_the_column_is_not_read(self, app: Flask, admin: Browser, desk: Desk) -> None:
        address = analyse(admin, TABLE)

        assert "Aucune réponse n’a été donnée" in answer(admin, desk, address)
        apply(app, admin, address)

        assert ines(desk) == [None]

    def test_answer_is_refused_where_it_is_not_offered(self, admin: Browser, desk: Desk) -> None:
        address = analyse(admin, TABLE)
        field = questions(desk)["Identif. élève"].field

        for odd in ("1", "99", "-3", "deux"):
            refused = admin.post(f"{address}/reponses", {**admin.form(address), field: odd})
            assert refused.status_code == 422
            assert "Cette réponse n’est plus proposée" in Page(refused).text
        assert questions(desk)["Identif. élève"].answer is None

    def test_answer_given_with_the_application_is_shown_before_it_is_applied(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        address = analyse(admin, TABLE)
        fields = {questions(desk)["Identif. élève"].field: NUMBER}

        page = Page(admin.post(f"{address}/appliquer", {**admin.form(address), **fields}, follow_redirects=True)).text

        assert "Rien n’est encore appliqué" in page
        assert ines(desk) == []

    def test_answer_of_a_school_says_nothing_of_another(self, app: Flask, admin: Browser, as_: As, desk: Desk) -> None:
        address = analyse(admin, TABLE)
        answer(admin, desk, address, **{"Identif. élève": INE})
        apply(app, admin, address)

        other = as_("administrator", "b")
        theirs = analyse(other, TABLE)

        assert questions(desk, "b")["Identif. élève"].answer is None
        assert admin.get(theirs).status_code == 404
        assert other.post(f"{address}/reponses", {**other.form(theirs)}).status_code == 404

    def test_answer_about_two_columns_reads_the_first_one(self, app: Flask, admin: Browser, desk: Desk) -> None:
        table = ("eleves.csv", TABLE[1].replace("Régime".encode(), b"Code").replace(b"DP", b"990000029DV"))
        address = analyse(admin, table)

        answer(admin, desk, address, **{"Identif. élève": INE, "Code": INE})
        apply(app, admin, address)

        assert ines(desk) == ["990000011DB"]
