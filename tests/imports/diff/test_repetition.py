"""The same file of pupils again: not read where that shows nothing else, and read as soon as it might."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from cpro.core.validators import rnie_key
from cpro.imports.diff import comparison, repetition
from cpro.imports.models import ImportChange, ImportFinding, ImportQuestion, ImportRun
from cpro.students import operations
from cpro.students.models import Division, Student
from tests.factories import NOW
from tests.helpers.imports import EVERYTHING, SAMPLES, Desk

Pupil = dict[str, str]


def ine(number: int) -> str:
    """Return an INE of the series that no one holds."""
    digits = f"{990_000_000 + number:09}"
    return digits + rnie_key(digits)


ALIX: Pupil = {"id": "1", "ine": ine(1), "NOM_DE_FAMILLE": "TESTEUR", "PRENOM": "Alix", "DATE_NAISS": "14/03/2010"}
NOE: Pupil = {"id": "2", "ine": ine(2), "NOM_DE_FAMILLE": "FICTIF", "PRENOM": "Noé", "DATE_NAISS": "01/02/2010"}
ZOE: Pupil = {"id": "3", "ine": "", "NOM_DE_FAMILLE": "BOBINE", "PRENOM": "Zoé", "DATE_NAISS": "03/04/2011"}
LEFT = {"DATE_SORTIE": "01/09/2026"}
SOON = {"DATE_SORTIE": "01/09/2027"}
OTHER = {"id": "9", "ine": ine(9)}

#: {name: (files imported before, the file, whether it is then known without reading)}
SCENARIOS: dict[str, tuple[list[list[Pupil]], list[Pupil], bool]] = {
    "all arriving": ([], [ALIX, NOE, ZOE], True),
    "one leaves, one changes, one comes back": (
        [[ALIX, NOE, ZOE], [ALIX, ZOE]],
        [ALIX | {"NOM_USAGE": "AUTRE"}, NOE, ZOE | LEFT],
        True,
    ),
    "those whom the file omits have left": ([[ALIX, NOE, ZOE]], [ALIX], True),
    "gone before they came, not enrolled, leaving later": (
        [],
        [ALIX, NOE | LEFT, ZOE | {"division": ""}, ALIX | OTHER | {"PRENOM": "Yaël"} | SOON],
        True,
    ),
    "a division taken away": ([[ALIX, NOE]], [ALIX | {"division": ""}, NOE], True),
    "known by INE under another number": ([[ALIX]], [ALIX | {"id": "77"}], True),
    "an INE that comes": ([[ZOE]], [ZOE | {"ine": ine(3)}], True),
    "unlikely and missing values": ([], [ALIX | {"DATE_NAISS": "14/03/1910"}, NOE | {"DATE_NAISS": ""}], True),
    "another INE for one number": ([[ALIX]], [ALIX | {"ine": ine(8)}], False),
    "two people of one name and birth date": ([], [ALIX, ALIX | OTHER], False),
    "a namesake to be confirmed": ([[ALIX]], [NOE, ALIX | OTHER | {"ine": ""}], False),
    "the number of somebody else": ([[ALIX]], [ALIX | {"NOM_DE_FAMILLE": "CUIVRE", "PRENOM": "Gaëtan"}], False),
    "one number twice": ([], [ALIX, NOE, NOE | {"PRENOM": "Loïc", "ine": ine(7)}], False),
    "one INE twice, gone under one number": ([], [ALIX, NOE, NOE | {"id": "5"} | LEFT], False),
    "a line without name": ([], [ALIX, NOE | {"NOM_DE_FAMILLE": ""}], False),
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by one each time a file of pupils is read."""
    times, read_students = list[int](), comparison.read_students

    def watch(*args: Any, **more: Any) -> Iterator[Any]:
        times.append(1)
        return read_students(*args, **more)

    monkeypatch.setattr(comparison, "read_students", watch)
    return times


def kept(desk: Desk, run_id: int) -> dict[str, Any]:
    """Return all that an analysis kept, but for what numbers its rows."""
    with desk.look() as session:
        run = session.get_one(ImportRun, run_id)
        found: dict[str, Any] = {"counts": run.counts, "needed": run.confirmations_needed, "settled": run.settled}
        for model in (ImportChange, ImportFinding, ImportQuestion):
            columns = [column for column in model.__table__.columns if column.name not in ("id", "run_id")]
            found[model.__tablename__] = [
                tuple(getattr(row, model.__mapper__.get_property_by_column(column).key) for column in columns)
                for row in session.scalars(select(model).where(model.run_id == run_id).order_by(model.id))
            ]
    return found


def check_again(desk: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch, *paths: Path, known: bool) -> None:
    """Analyse files that were just applied, as it is done and by reading them, and compare all that is kept."""
    read.clear()
    as_done = kept(desk, desk.analyse(*paths))
    assert len(read) == (0 if known else 1)
    with monkeypatch.context() as patch:
        patch.setattr(comparison, "find_repetition", lambda digest, today: None)
        by_reading = kept(desk, desk.analyse(*paths))
    assert len(read) == (1 if known else 2)
    assert as_done == by_reading


@pytest.mark.parametrize("name", SCENARIOS)
def test_find_repetition_shows_what_reading_would(
    desk: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before, pupils, is_known = SCENARIOS[name]
    for each in before:
        desk.import_files(desk.file_of(*each), confirm=EVERYTHING)
    path = desk.file_of(*pupils)
    desk.import_files(path, confirm=EVERYTHING)

    check_again(desk, read, monkeypatch, path, known=is_known)


def test_find_repetition_the_samples_with_their_divisions_and_staff(
    desk: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _time in range(3):
        run_id = desk.analyse(*SAMPLES)
        desk.apply(run_id, EVERYTHING)
        check_again(desk, read, monkeypatch, *SAMPLES, known=kept(desk, run_id)["settled"] is not None)


def test_find_repetition_holds_after_an_import_that_changed_nothing(desk: Desk, read: list[int]) -> None:
    path = desk.file_of(ALIX, NOE, ZOE)
    desk.import_files(path)
    desk.import_files(path)
    figures = desk.import_files(path)

    assert len(read) == 1
    assert figures["students"] == desk.run(desk.analyse(path)).counts["students"]
    assert (figures["students"]["unchanged"], figures["students"]["without_ine"]) == (3, 1)


def _change_a_pupil(desk: Desk) -> None:
    with desk.open() as session:
        pupil = session.scalars(select(Student).where(Student.siecle_id == "1")).one()
        operations.record_change("student:changed", pupil, {"first_name": ("Alix", "Alice")}, by=desk.by, now=NOW)
        pupil.first_name = "Alice"


def _change_a_division(desk: Desk) -> None:
    with desk.open() as session:
        division = session.scalars(select(Division).where(Division.code == "2MELEC")).one()
        operations.record_change("division:changed", division, {"code": ("2MELEC", "2ELEC")}, by=desk.by, now=NOW)
        division.code = "2ELEC"


def _import_another(desk: Desk) -> None:
    desk.import_files(desk.file_of(ALIX, NOE), confirm=EVERYTHING)


def _lose_a_pupil(desk: Desk) -> None:
    """Change a row past the rules: no line of the journal tells it."""
    with desk.open() as session:
        session.scalars(select(Student).where(Student.siecle_id == "1")).one().is_active = False


def _lose_a_finding(desk: Desk) -> None:
    with desk.open() as session:
        session.execute(delete(ImportFinding))


CHANGES: list[Callable[[Desk], None]] = [
    _change_a_pupil,
    _change_a_division,
    _import_another,
    Desk.undo,
    _lose_a_pupil,
    _lose_a_finding,
]


@pytest.mark.parametrize("change", CHANGES)
def test_find_repetition_reads_the_file_once_its_data_changed(
    desk: Desk, read: list[int], change: Callable[[Desk], None]
) -> None:
    path = desk.file_of(ALIX, NOE, ZOE)
    desk.import_files(path)
    change(desk)
    read.clear()

    desk.analyse(path)

    assert len(read) == 1


def test_find_repetition_reads_another_file_on_another_day_and_with_other_code(
    desk: Desk, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.file_of(ALIX, NOE, ZOE)
    desk.import_files(path)
    read.clear()
    desk.analyse(path)
    assert not read

    desk.analyse(path, now=NOW + timedelta(days=1))
    assert len(read) == 1, "a leaving date may be past"
    desk.analyse(desk.write(path.read_text("iso-8859-15") + "\n"))
    assert len(read) == 2, "not the same bytes"
    monkeypatch.setattr(repetition, "_CODE", b"of another version")
    desk.analyse(path)
    assert len(read) == 3


def test_find_repetition_is_of_one_school(desk: Desk, read: list[int]) -> None:
    path = desk.file_of(ALIX, NOE, ZOE)
    desk.import_files(path)
    with desk.look("b"):
        assert repetition.find_repetition(repetition.digest_of(path), NOW.date()) is None
    with desk.look():
        assert repetition.find_repetition(repetition.digest_of(path), NOW.date()) is not None
