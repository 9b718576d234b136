"""Two lines of one table that may be about one person: asked about before both are created."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from cpro.imports.models import ImportFinding, ImportQuestion
from cpro.students.models import Student
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.deposits import analyse, apply
from tests.helpers.imports import Desk
from tests.helpers.pages import Page

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
TITLES = "Nom de famille;Nom d’usage;Prénom;Date de naissance;INE;Classe;Numéro;MEF;Date de sortie"


@pytest.fixture(autouse=True)
def without_siecle(arrange: Look, world: World) -> Iterator[None]:
    """Let school A say that it does not use SIECLE."""
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def admin(as_: As) -> Browser:
    """Return the administrator's browser."""
    return as_("administrator")


def table(*lines: str, titles: str = TITLES) -> tuple[str, bytes]:
    """Return a table as CSV."""
    return "tableau.csv", "\r\n".join((titles, *lines)).encode()


def counted(desk: Desk, address: str) -> tuple[int, int]:
    """Return how many pupils an analysis creates, and how many lines it refuses."""
    counts = desk.run(int(address.rsplit("/", 1)[-1])).counts["students"]
    return counts["created"], counts["refused"]


def told(desk: Desk, code: str) -> list[tuple[int, str]]:
    """Return the findings of a code: line and sentence."""
    with desk.look() as session:
        found = session.scalars(select(ImportFinding).where(ImportFinding.code == code).order_by(ImportFinding.id))
        return [(each.line, each.sentence.replace("\u202f", " ")) for each in found]


def answer_all(desk: Desk, admin: Browser, address: str) -> None:
    """Say of each question of the last analysis that it is another person."""
    with desk.look() as session:
        asked = session.scalars(select(ImportQuestion).where(ImportQuestion.answer.is_(None))).all()
    admin.post(f"{address}/reponses", {each.field: "0" for each in asked})


class TestSameLine:
    def test_same_line_a_pupil_twice_in_a_table_is_asked_about(self, app: Flask, admin: Browser, desk: Desk) -> None:
        twice = table("MARTIN;;Lou;04/03/2009;;2MELEC;M-1;;", "Martin;;Lou;04/03/2009;;2MELEC;;;")

        address = analyse(admin, twice)

        assert counted(desk, address) == (1, 1)
        [(line, sentence)] = told(desk, "TO_CONFIRM")
        assert (line, sentence[:76]) == (
            3,
            "La ligne 2 du même fichier porte ce nom et cette date de naissance, et rien ",
        )
        assert "Une autre personne : elle sera créée" in Page(admin.get(address)).text

    def test_same_line_once_answered_two_pupils_come_and_the_same_table_asks_nothing(
        self, app: Flask, admin: Browser, desk: Desk
    ) -> None:
        twice = table("MARTIN;;Lou;04/03/2009;;2MELEC;;;", "MARTIN;;Lou;04/03/2009;;2MELEC;;;")
        address = analyse(admin, twice)

        answer_all(desk, admin, address)
        apply(app, admin, address)

        with desk.look() as session:
            assert len(session.scalars(select(Student).where(Student.last_name == "MARTIN")).all()) == 2
        assert counted(desk, analyse(admin, twice)) == (0, 0)

    @pytest.mark.parametrize(
        ("second", "what"),
        [
            ("M.;Noir;Paul;ENS;;m.curie@cfa.example;;", "a cette adresse électronique"),
            ("Mme;CURIE;Marie;ENS;;;;", "porte ce nom"),
        ],
    )
    def test_same_line_a_teacher_twice_in_a_table_is_asked_about(
        self, admin: Browser, desk: Desk, second: str, what: str
    ) -> None:
        titles = "Civilité;Nom;Prénom;Fonction;Discipline;Adresse électronique;Classes;Numéro"

        analyse(admin, table("Mme;Curie;Marie;ENS;;m.curie@cfa.example;;P1", second, titles=titles))

        [(line, sentence)] = told(desk, "TO_CONFIRM")
        assert line == 3
        assert sentence.startswith(f"La ligne 2 du même fichier {what}, et rien")
