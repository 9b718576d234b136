"""The story of the sample school from one year to the next, as its files give it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cpro.core.errors import DomainError
from cpro.imports.errors import ConfirmationMissing
from cpro.students.queries import count_without_ine
from tests.helpers.imports import SAMPLES, Desk

#: SIECLE has switched to the year that begins; here, the year that ends still runs.
JULY, SEPTEMBER, OCTOBER = (datetime(2027, month, 5, 9, 0, tzinfo=UTC) for month in (7, 9, 10))
SECONDE, PREMIERE, TERMINALE = "24725510310", "24725510320", "24725510330"


def pupil(siecle_id: str, ine: str, names: str, born: str, division: str, mef: str) -> dict[str, str]:
    """Return a pupil as `Desk.file_of` takes them; `names` is « NOM, Prénom »."""
    last_name, first_name = names.split(", ")
    return {
        "id": siecle_id,
        "ine": ine,
        "NOM_DE_FAMILLE": last_name,
        "PRENOM": first_name,
        "DATE_NAISS": born,
        "division": division,
        "CODE_MEF": mef,
    }


PROMOTED = pupil("900001", "990000011DB", "TESTEUR, Alix", "14/03/2010", "1MELEC", PREMIERE)
WITH_INE_AT_LAST = pupil("900005", "990000145AE", "SANSINE, Nouveau", "17/07/2010", "1MELEC", PREMIERE)
REPEATING = pupil("900012", "990000123BG", "DOUBLESTRUCTURE, Ÿvaine", "19/08/2010", "201", SECONDE)
HOMONYMS = [
    pupil(siecle_id, ine, "HOMONYME, Camille", "05/06/2009", "T MELEC", TERMINALE)
    for siecle_id, ine in (("900009", "990000099EA"), ("900010", "990000101DJ"))
]
USUAL = {
    **pupil("900003", "990000033AK", "FICTIF, Maëlys", "01/01/2009", "T MELEC", TERMINALE),
    "NOM_USAGE": "FICTIF DE LA MAQUETTE",
}
RETURNING = pupil("900004", "9900000044N", "SŒURFACTICE, Zoë", "30/11/2009", "T MELEC", TERMINALE)
RENUMBERED = pupil("910011", "990000112CH", "APPRENTI, Théo", "03/10/2009", "2CAPMM", "24125221220")
NEWCOMERS = [
    pupil(siecle_id, ine, f"NOUVELLE, {first_name}", "02/02/2011", "2MELEC1", SECONDE)
    for siecle_id, ine, first_name in (("920001", "990000156HA", "Lou"), ("920002", "990000167GJ", "Ali"))
]
NEXT_YEAR = [PROMOTED, WITH_INE_AT_LAST, REPEATING, *HOMONYMS, USUAL, RETURNING, RENUMBERED, *NEWCOMERS]
LEAVERS = ("900002", "900007", "900013")


@pytest.fixture
def school(desk: Desk) -> Desk:
    """Return the school of the samples, which one pupil has since left."""
    desk.import_files(*SAMPLES)
    text = SAMPLES[0].read_text("iso-8859-15")
    for tag in ("ELEVE", "STRUCTURES_ELEVE"):
        text = re.sub(rf'<{tag} ELEVE_ID="900004".*?</{tag}>', "", text, flags=re.DOTALL)
    counts = desk.import_files(desk.write(text), now=datetime(2026, 12, 1, 9, 0, tzinfo=UTC))["students"]
    assert (counts["deactivated"], counts["unchanged"]) == (1, 10)
    return desk


@pytest.fixture
def next_year(school: Desk) -> Path:
    """Return the file of the next school year."""
    return school.file_of(*NEXT_YEAR, year=2027)


def refused(desk: Desk, path: Path, now: datetime, *confirm: str) -> str:
    """Return what an import says that it needs, in plain spaces, having checked that it wrote nothing."""
    before = desk.state()
    with pytest.raises(ConfirmationMissing) as refusal:
        desk.import_files(path, confirm=confirm, now=now)
    assert desk.state() == before
    return str(refusal.value).replace("\u202f", " ")


class TestApplyNextYear:
    def test_apply_next_year_the_year_and_the_departures_are_confirmed_apart(
        self, school: Desk, next_year: Path
    ) -> None:
        year = "2027-2028, et l’année en cours est 2026-2027"
        departures = "3 élèves seraient désactivés sur 10 (30 %)"

        assert year in refused(school, next_year, JULY)
        assert departures in refused(school, next_year, JULY)
        assert year not in refused(school, next_year, JULY, "year")
        assert departures not in refused(school, next_year, JULY, "deactivations")
        assert year not in refused(school, next_year, SEPTEMBER)

    def test_apply_next_year_each_pupil_is_where_the_file_says(self, school: Desk, next_year: Path) -> None:
        before = school.students()

        counts = school.import_files(next_year, confirm=("year", "deactivations"), now=JULY)["students"]

        students = school.students()
        assert {key: counts[key] for key in ("created", "changed", "deactivated", "reactivated", "refused")} == {
            "created": 2,
            "changed": 7,
            "deactivated": 3,
            "reactivated": 1,
            "refused": 0,
        }
        assert {key: each["division"] for key, each in students.items() if each["is_active"]} == {
            each["id"]: each["division"] for each in NEXT_YEAR
        }
        for key in LEAVERS:
            assert (students[key]["is_active"], students[key]["departed_on"]) == (False, date(2027, 7, 5))
            assert students[key]["division"] == before[key]["division"]
        assert (students["900004"]["is_active"], students["900004"]["departed_on"]) == (True, None)
        assert students["900004"]["id"] == before["900004"]["id"]
        # The same INE under another number is the same pupil.
        assert "900011" not in students
        assert students["910011"]["id"] == before["900011"]["id"]

    def test_apply_next_year_the_pupil_whose_ine_arrives_leaves_the_list(self, school: Desk, next_year: Path) -> None:
        with school.look():
            assert count_without_ine(JULY.date()).active == 1

        school.import_files(next_year, confirm=("year", "deactivations"), now=JULY)

        with school.look():
            assert count_without_ine(JULY.date()).active == 0

    def test_apply_next_year_the_same_file_again_changes_nothing(self, school: Desk, next_year: Path) -> None:
        school.import_files(next_year, confirm=("year", "deactivations"), now=JULY)
        before = school.state()

        july: dict[str, Any] = school.import_files(next_year, confirm=["year"], now=JULY)
        september = school.import_files(next_year, now=SEPTEMBER)

        for counts in (july, september):
            assert (counts["students"]["unchanged"], counts["divisions"]) == (10, 0)
            assert not sum(counts["students"][key] for key in ("created", "changed", "deactivated", "reactivated"))
        assert school.state() == before

    def test_apply_next_year_a_partial_file_is_named_by_its_figures(self, school: Desk, next_year: Path) -> None:
        school.import_files(next_year, confirm=("year", "deactivations"), now=JULY)
        partial = school.file_of(*NEWCOMERS, year=2027)

        assert "8 élèves seraient désactivés sur 10 (80 %)" in refused(school, partial, OCTOBER)
        counts = school.import_files(partial, confirm=["deactivations"], now=OCTOBER)["students"]

        assert (counts["deactivated"], counts["unchanged"]) == (8, 2)
        assert [key for key, each in school.students().items() if each["is_active"]] == ["920001", "920002"]

    def test_apply_next_year_last_years_file_is_not_taken_for_this_years(self, school: Desk, next_year: Path) -> None:
        school.import_files(next_year, confirm=("year", "deactivations"), now=JULY)

        assert "2026-2027" in refused(school, SAMPLES[0], SEPTEMBER)

    def test_apply_next_year_the_whole_year_is_undone(self, school: Desk, next_year: Path) -> None:
        before = school.state()
        school.import_files(next_year, confirm=("year", "deactivations"), now=JULY)

        school.undo(now=JULY)

        assert school.state() == before
        with pytest.raises(DomainError):
            school.undo(now=JULY)
