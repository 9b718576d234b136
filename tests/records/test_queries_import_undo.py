"""An import is not undone once somebody has written about a pupil it created."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.errors import DomainError
from cpro.imports.apply import reversal
from cpro.records.models import Fiche
from cpro.records.queries import list_students_with_records
from cpro.students.models import Student
from tests.factories import NOW, World
from tests.helpers.imports import Desk
from tests.records.conftest import make_fiche

PUPIL = {"id": "1", "ine": "990000011DB"}
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def desk(app: Flask, world: World, tmp_path: Path) -> Desk:
    """Return the place where files are imported into school "a"."""
    return Desk(app, world, tmp_path)


def write_about(desk: Desk, **values: Any) -> None:
    with desk.open() as session:
        student = session.scalars(select(Student).where(Student.siecle_id == "1")).one()
        session.add(make_fiche(student, **values))


class TestUndoImport:
    def test_undo_import_is_refused_once_a_pupil_it_created_has_a_fiche(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(PUPIL))
        write_about(desk)

        with pytest.raises(DomainError) as refusal:
            desk.undo(now=LATER)

        assert "a depuis des fiches, des évaluations ou des bilans" in refusal.value.message
        assert "TESTEUR" not in refusal.value.message
        with desk.look() as session:
            assert session.scalar(select(Fiche.id)) is not None

    def test_undo_import_is_refused_once_a_pupil_it_reactivated_has_a_new_fiche(self, desk: Desk) -> None:
        _reactivate(desk)
        write_about(desk, created_at=LATER, changed_at=LATER)

        with pytest.raises(DomainError, match="a depuis des fiches"):
            desk.undo(now=LATER + timedelta(hours=1))

    def test_undo_import_is_refused_when_a_fiche_comes_between_its_preparation_and_its_writing(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _reactivate(desk)
        prepare = reversal.prepare_undo

        def prepare_then_write(*given: Any, **named: Any) -> Any:
            prepared = prepare(*given, **named)
            writer = Thread(target=write_about, args=[desk], kwargs={"created_at": LATER, "changed_at": LATER})
            writer.start()
            writer.join()
            return prepared

        monkeypatch.setattr(reversal, "prepare_undo", prepare_then_write)

        with pytest.raises(DomainError, match="a depuis des fiches"):
            desk.undo(now=LATER + timedelta(hours=1))

        assert desk.students()["1"]["is_active"] is True

    def test_undo_import_what_was_written_before_the_pupil_came_back_does_not_count(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(PUPIL))
        write_about(desk, created_at=NOW - timedelta(days=1), changed_at=NOW - timedelta(days=1))
        _reactivate(desk, created=True)

        desk.undo(now=LATER)

        assert desk.students()["1"]["is_active"] is False


class TestListStudentsWithRecords:
    def test_list_students_with_records_a_copy_is_not_the_schools_work(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(PUPIL))
        write_about(desk, received_in=1, origin_school="Ailleurs")

        with desk.look() as session:
            ids = _ids(session)
            assert list_students_with_records(ids) == set()

    def test_list_students_with_records_since_an_instant(self, desk: Desk) -> None:
        desk.import_files(desk.file_of(PUPIL))
        write_about(desk)

        with desk.look() as session:
            ids = _ids(session)
            assert len(list_students_with_records(ids)) == 1
            assert list_students_with_records(ids, since=LATER) == set()
            assert list_students_with_records([]) == set()


def _reactivate(desk: Desk, *, created: bool = False) -> None:
    """Have the pupil leave, then come back by the last import."""
    if not created:
        desk.import_files(desk.file_of(PUPIL))
    with desk.open() as session:
        student = session.scalars(select(Student).where(Student.siecle_id == "1")).one()
        student.is_active, student.departed_on = False, date(2026, 9, 30)
    desk.import_files(desk.file_of(PUPIL))


def _ids(session: Session) -> list[int]:
    return list(session.scalars(select(Student.id)))
