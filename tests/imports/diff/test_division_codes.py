"""Divisions of tables are read as the school's: near codes, names too long to be codes, what a spreadsheet computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cpro.establishments.models import Establishment
from cpro.imports.models import ImportFinding
from cpro.students.models import Division, Student
from tests.helpers.imports import Desk

TITLES = "Nom;Prénom;Date de naissance;Classe\n"
STAFF = "Nom;Prénom;Fonction;Adresse électronique;Classes\n"
pytestmark = pytest.mark.usefixtures("october")


@pytest.fixture(autouse=True)
def without_siecle(desk: Desk) -> Iterator[None]:
    """Let school A say that it does not use SIECLE, and have two divisions with a name."""
    with desk.open() as session:
        school = session.get_one(Establishment, desk.world.a.id)
        school.uses_siecle = False
        session.add(Division(establishment_id=school.id, code="2MELEC", label="Seconde Métiers de l’électricité"))
    yield


def table(desk: Desk, *divisions: str) -> Path:
    rows = [f"ONYX{chr(65 + place)};Zoé;03/04/201{place};{code}\n" for place, code in enumerate(divisions)]
    return desk.write(TITLES + "".join(rows), encoding="utf-8")


def divisions(desk: Desk) -> dict[str, str]:
    """Return the label of each division, by code; the one of the factories is left out."""
    with desk.look() as session:
        return {
            each.code: each.label
            for each in session.scalars(select(Division).where(Division.id != desk.world.a.division_id))
        }


def pupils_in(desk: Desk, path: Path) -> list[str]:
    """Import a table and return the codes of the divisions of its pupils, line by line."""
    desk.import_files(path)
    with desk.look() as session:
        rows = session.execute(
            select(Student.last_name, Division.code)
            .join(Division, Division.id == Student.division_id)
            .where(Student.last_name.startswith("ONYX"))
        )
        return [code for _name, code in sorted(tuple(row) for row in rows)]


def told(desk: Desk, code: str) -> list[tuple[int, str]]:
    with desk.look() as session:
        found = session.scalars(select(ImportFinding).where(ImportFinding.code == code).order_by(ImportFinding.id))
        return [(each.line, each.sentence.replace("\u202f", " ")) for each in found]


class TestReadStudent:
    @pytest.mark.parametrize("typed", ["2melec", "2Mélec", "2MéLEC", "2 melec", "2 MELEC"])
    def test_read_student_takes_a_near_code_for_the_division_and_tells_once(self, desk: Desk, typed: str) -> None:
        assert pupils_in(desk, table(desk, typed, "2MELEC", typed)) == ["2MELEC"] * 3

        assert divisions(desk) == {"2MELEC": "Seconde Métiers de l’électricité"}
        [(line, sentence)] = told(desk, "DIVISION_ALIKE")
        assert line == 2
        assert f"« {typed} » est lue comme « 2MELEC »" in sentence

    def test_read_student_makes_one_division_of_two_ways_to_write_a_new_one(self, desk: Desk) -> None:
        assert pupils_in(desk, table(desk, "cap 1", "CAP 1", "Cap  1")) == ["cap 1"] * 3

        assert [line for line, _sentence in told(desk, "DIVISION_ALIKE")] == [3, 4]

    def test_read_student_keeps_twins_that_the_school_has_and_makes_no_third(self, desk: Desk) -> None:
        with desk.open() as session:
            session.add(Division(establishment_id=desk.world.a.id, code="2 melec", label=""))

        assert pupils_in(desk, table(desk, "2 melec", "2MELEC", "2 MELEC", "2Melec")) == ["2 melec", "2MELEC"]

        assert divisions(desk).keys() == {"2MELEC", "2 melec"}
        first, second = told(desk, "DIVISION_SEVERAL")
        sentence = "La division « 2 MELEC » peut être « 2MELEC » ou « 2 melec » : écrivez le code exact de la bonne."
        assert first == (4, sentence)
        assert second[0] == 5

    def test_read_student_gives_long_names_short_codes_and_finds_them_again(self, desk: Desk) -> None:
        names = ("Terminale MELEC 2", "Terminale MELEC 1", "Première bac pro MELEC A", "Première bac pro MELEC B")

        assert pupils_in(desk, table(desk, *names)) == ["TMELEC2", "TMELEC1", "PBPMELEC", "PBPMELE2"]

        before = divisions(desk)
        assert before["TMELEC2"] == "Terminale MELEC 2"
        assert told(desk, "DIVISION_NAMED")[0] == (
            2,
            "« Terminale MELEC 2 » dépasse 8 caractères : la division est créée avec le code court « TMELEC2 », et "
            "garde ce nom pour intitulé.",
        )
        again = desk.import_files(table(desk, *names, "seconde metiers de l'electricite"))
        assert (again["students"]["unchanged"], again["divisions"]) == (4, 0)
        assert divisions(desk) == before

    @pytest.mark.parametrize(("code", "is_told"), [("200000", True), ("20", True), ("201", False), ("2030", False)])
    def test_read_student_doubts_a_code_that_a_spreadsheet_may_have_computed(
        self, desk: Desk, code: str, is_told: bool
    ) -> None:
        desk.import_files(table(desk, code, code))

        assert [line for line, _sentence in told(desk, "DIVISION_DOUBTFUL")] == [2] * is_told
        desk.import_files(table(desk, code, code, code))
        assert len(told(desk, "DIVISION_DOUBTFUL")) == is_told  # known from now on

    def test_read_student_creates_no_division_for_a_line_that_is_refused(self, desk: Desk) -> None:
        path = desk.write(TITLES + ";Zoé;03/04/2010;Terminale MELEC 2\n;Éva;03/04/2010;3CAP\n", encoding="utf-8")

        desk.import_files(path)

        assert list(divisions(desk)) == ["2MELEC"]


class TestReadStaff:
    def test_read_staff_finds_divisions_by_near_code_and_by_name_and_creates_none(self, desk: Desk) -> None:
        line = "BON;Léa;ENS;lea.bon@example.org;2melec, Seconde Métiers de l’électricité et Terminale MELEC 2\n"

        desk.import_files(desk.write(STAFF + line, encoding="utf-8"))

        assert divisions(desk) == {"2MELEC": "Seconde Métiers de l’électricité"}
        assert len(told(desk, "DIVISION_UNKNOWN")) == 1
