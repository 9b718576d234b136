"""A pupil typed by hand merged into the row that SIECLE knows: what its next exports find, and what undoing refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from cpro.imports.errors import UndoImpossible
from cpro.imports.models import ImportQuestion
from cpro.people.duplicates import CannotMerge, merge
from cpro.students.models import Student
from tests.factories import NOW, TESTER, make_student
from tests.helpers.imports import Desk


@pytest.fixture
def export(desk: Desk) -> Path:
    """Write an export of two pupils, one without INE nor birth date."""
    return desk.file_of(
        {"id": "71", "NOM_DE_FAMILLE": "TESTEUR", "PRENOM": "Alix", "DATE_NAISS": ""},
        {"id": "72", "ine": "0123456789K", "NOM_DE_FAMILLE": "VOISINE", "PRENOM": "Lou"},
    )


def type_alix(desk: Desk, **values: object) -> int:
    """Add the row of the first pupil typed by hand, present."""
    with desk.open() as session:
        typed = {"last_name": "Testeur", "first_name": "Alix", "ine": None} | values
        session.add(other := make_student(desk.world.a.id, **typed))
        session.flush()
        return other.id


def merge_into_alix(desk: Desk, other_id: int) -> int:
    """Merge a row into the one that SIECLE knows, and return the id of this one."""
    with desk.open() as session:
        kept_id = session.scalars(select(Student.id).where(Student.siecle_id == "71")).one()
        merge(kept_id, other_id, by=TESTER, now=NOW)
    return kept_id


class TestMergedIntoSIECLE:
    def test_the_same_export_changes_nothing_and_creates_nobody(self, desk: Desk, export: Path) -> None:
        desk.import_files(export)
        merge_into_alix(desk, type_alix(desk, usage_name="Main"))
        before = desk.students()
        assert before["71"]["is_active"]

        run_id = desk.analyse(export)
        with desk.look() as session:
            assert not session.scalars(select(ImportQuestion)).all()
        figures = desk.apply(run_id)["students"]

        assert desk.students() == before
        assert (figures["unchanged"], figures["created"], figures["changed"]) == (2, 0, 0)
        with desk.look() as session:
            alike = select(Student.merged_into_id).where(Student.last_name.ilike("testeur")).order_by(Student.id)
            assert session.scalars(alike).all() == [None, before["71"]["id"]]

    def test_what_the_kept_row_took_outlasts_the_next_export(self, desk: Desk, export: Path) -> None:
        desk.import_files(export)
        merge_into_alix(desk, type_alix(desk, ine="1123456789K", local_id="9"))

        desk.import_files(export)

        kept = desk.students()["71"]
        assert (kept["ine"], kept["local_id"], kept["came_by"]) == ("1123456789K", "9", "siecle")

    def test_the_import_that_deactivated_a_row_merged_since_is_not_undone(self, desk: Desk, export: Path) -> None:
        desk.import_files(export)
        other_id = type_alix(desk, birth_date=None)
        desk.import_files(
            desk.file_of({"id": "71", "NOM_DE_FAMILLE": "TESTEUR", "PRENOM": "Alix"}), confirm=["deactivations"]
        )
        with desk.look() as session:
            assert not session.get_one(Student, other_id).is_active
        merge_into_alix(desk, other_id)

        with pytest.raises(UndoImpossible, match="a changé depuis"):
            desk.undo()
        with desk.look() as session:
            assert not session.get_one(Student, other_id).is_active

    def test_two_pupils_of_an_export_are_not_merged(self, desk: Desk, export: Path) -> None:
        desk.import_files(export)

        with desk.look() as session:
            voisine = session.scalars(select(Student.id).where(Student.siecle_id == "72")).one()
        with pytest.raises(CannotMerge, match="sous deux numéros"):
            merge_into_alix(desk, voisine)
