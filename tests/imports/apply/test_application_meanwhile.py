"""While an import is applied or undone: people of the school go on working, two of them exclude each other.

The import is paused inside its long part, by an event and not by the clock; what people do meanwhile must succeed at
once: their requests are let wait for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.engine import Engine

from cpro.audit.models import AuditEntry
from cpro.core import clock, locks
from cpro.core.transactions import unit_of_work
from cpro.establishments.models import Establishment
from cpro.imports.apply import application, reversal
from cpro.imports.errors import AnalysisOutdated, ImportUnderWay, NotToApply, UndoImpossible
from cpro.imports.models import RunState
from cpro.imports.queries import get_run
from cpro.imports.runs.lifecycle import send_to_application
from cpro.students.models import Student
from tests.factories import NOW, World
from tests.helpers.browser import Browser
from tests.helpers.imports import Desk
from tests.helpers.records import rows

PUPILS = 300
PATIENCE = 60  # seconds
PARTICULARS = "/admin/parametres/etablissement"
As = Callable[..., Browser]


class Paused:
    """A function that stops after it did its work, until it is let go."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.reached, self._go = threading.Event(), threading.Event()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        done = self._function(*args, **kwargs)
        self.reached.set()
        assert self._go.wait(PATIENCE)
        return done

    def wait(self) -> None:
        assert self.reached.wait(PATIENCE), "the import did not come to its long part"

    def release(self) -> None:
        self._go.set()


@contextmanager
def meanwhile(paused: Paused, work: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Do some work in a thread up to its pause, then what the block says, then the rest; yield what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
            paused.reached.set()

    thread = threading.Thread(target=run)
    thread.start()
    paused.wait()
    try:
        yield raised
    finally:
        paused.release()
        thread.join(PATIENCE)


def pupils(division: str = "2MELEC", count: int = PUPILS) -> Iterator[dict[str, str]]:
    return ({"id": str(number), "ine": "", "division": division} for number in range(1, count + 1))


def apply(desk: Desk, run_id: int) -> None:
    with desk.look():
        application.apply_now(run_id, confirmations=("deactivations",), by=desk.by, clock=lambda: NOW)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests wait for nothing: whoever would wait is refused."""
    monkeypatch.setattr(locks, "REQUEST_WAIT", 0.0)


#: Where an import may be paused: while it is prepared, on both databases; while it writes, on PostgreSQL, since SQLite
#: has a single writer.
PREPARING = {"applied": (application, "prepare_application"), "undone": (reversal, "prepare_undo")}
WRITING = {"applied": (application, "_write"), "undone": (reversal, "_write")}


@pytest.mark.parametrize("what", ["applied", "undone"])
@pytest.mark.parametrize("where", [PREPARING, WRITING], ids=["preparing", "writing"])
def test_apply_and_undo_let_people_of_the_school_go_on_working(
    desk: Desk,
    as_: As,
    world: World,
    admin_engine: Engine | None,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    where: dict[str, tuple[Any, str]],
) -> None:
    if where is WRITING and admin_engine is None:
        pytest.skip("SQLite has a single writer")
    run_id = desk.analyse(desk.file_of(*pupils()))
    if what == "undone":
        desk.apply(run_id)
    browser, teacher = as_("administrator"), as_("teacher")
    fields = {**browser.form(PARTICULARS), "city": "Nancy"}
    module, name = where[what]
    paused = Paused(getattr(module, name))
    monkeypatch.setattr(module, name, paused)
    monkeypatch.setattr(locks, "REQUEST_WAIT", 0.0)

    with meanwhile(paused, lambda: apply(desk, run_id) if what == "applied" else desk.undo()) as raised:
        _look_at_locks(admin_engine, world.a.id)
        lines = len(rows(desk.app, AuditEntry))
        assert as_("head").get("/admin/").status_code == 200
        assert browser.post(PARTICULARS, fields).status_code == 303
        assert teacher.get("/admin/parametres/modules").status_code == 403
        assert len(rows(desk.app, AuditEntry)) == lines + 3, "all three are recorded in the journal of the school"

    assert raised == []
    assert desk.run(run_id).state is (RunState.APPLIED if what == "applied" else RunState.UNDONE)
    assert len(desk.students()) == (PUPILS if what == "applied" else 0)
    (school,) = [row for row in rows(desk.app, Establishment) if row["id"] == world.a.id]
    assert school["city"] == "Nancy"


def _look_at_locks(admin_engine: Engine | None, school_id: int) -> None:
    """Check that nobody holds the school's row so that others wait."""
    if admin_engine is None:
        return
    with admin_engine.connect() as connection:
        connection.execute(
            text("SELECT 1 FROM establishment WHERE id = :id FOR NO KEY UPDATE NOWAIT"), {"id": school_id}
        )


@pytest.mark.parametrize("where", [PREPARING, WRITING], ids=["preparing", "writing"])
def test_apply_a_change_made_meanwhile_is_never_lost(
    desk: Desk, admin_engine: Engine | None, monkeypatch: pytest.MonkeyPatch, where: dict[str, tuple[Any, str]]
) -> None:
    if where is WRITING and admin_engine is None:
        pytest.skip("SQLite has a single writer")
    desk.import_files(desk.file_of(*pupils("2MELEC", 20)))
    run_id = desk.analyse(desk.file_of(*pupils("1MELEC", 20)))
    module, name = where["applied"]
    paused = Paused(getattr(module, name))
    monkeypatch.setattr(module, name, paused)

    with meanwhile(paused, lambda: apply(desk, run_id)) as raised, desk.open() as session:
        # Not one whom the import corrects: nobody waits for it, and yet the analysis is outdated.
        newcomer = Student(last_name="Nouveau", first_name="Venu", created_at=NOW)
        session.add(newcomer)
        session.flush()
        _record_creation(desk, newcomer.id)

    assert [type(error) for error in raised] == [AnalysisOutdated]
    assert {pupil["division"] for pupil in desk.students().values()} == {"2MELEC"}
    assert desk.run(run_id).state is RunState.ANALYSED


def test_apply_a_pupil_corrected_meanwhile_is_seen_though_nothing_recorded_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows themselves are compared, besides the journal."""
    desk.import_files(desk.file_of(*pupils("2MELEC", 20)))
    run_id = desk.analyse(desk.file_of(*pupils("1MELEC", 20)))
    paused = Paused(application.prepare_application)
    monkeypatch.setattr(application, "prepare_application", paused)

    with meanwhile(paused, lambda: apply(desk, run_id)) as raised, desk.open() as session:
        session.scalars(select(Student).where(Student.siecle_id == "7")).one().division_id = None

    assert [type(error) for error in raised] == [AnalysisOutdated]
    assert {pupil["division"] for pupil in desk.students().values()} == {"2MELEC", ""}


def test_undo_and_deposit_are_refused_while_one_is_applied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.import_files(desk.file_of(*pupils("2MELEC", 5)))
    run_id = desk.analyse(desk.file_of(*pupils("1MELEC", 5)))
    with desk.look(), unit_of_work():
        send_to_application(get_run(run_id), confirmations=(), by=desk.by, now=NOW)
    paused = Paused(application.prepare_application)
    monkeypatch.setattr(application, "prepare_application", paused)

    def work() -> None:
        with desk.look():
            application.apply(run_id, confirmations=(), by=desk.by, clock=lambda: NOW)

    with meanwhile(paused, work) as raised:
        with pytest.raises(UndoImpossible, match="en cours"):
            desk.undo()
        with pytest.raises(ImportUnderWay):
            desk.analyse(desk.file_of(*pupils("3MELEC", 5)))
        with pytest.raises(NotToApply):
            desk.apply(run_id)

    assert raised == []
    assert {pupil["division"] for pupil in desk.students().values()} == {"1MELEC"}


def test_undo_of_two_who_undo_at_once_one_is_warned(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.import_files(desk.file_of(*pupils("2MELEC", 5)))
    paused = Paused(reversal.prepare_undo)
    with monkeypatch.context() as patch:
        patch.setattr(reversal, "prepare_undo", paused)
        with meanwhile(paused, desk.undo) as raised:
            patch.undo()
            desk.undo()

    assert [type(error) for error in raised] == [UndoImpossible]
    assert desk.students() == {}


def test_apply_that_finds_the_lock_held_says_that_one_is_under_way(
    app: Flask, desk: Desk, admin_engine: Engine | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if admin_engine is None:
        pytest.skip("SQLite has a single writer")
    desk.import_files(desk.file_of(*pupils("2MELEC", 5)))
    run_id = desk.analyse(desk.file_of(*pupils("1MELEC", 5)))
    paused = Paused(application._write)
    monkeypatch.setattr(application, "_write", paused)
    monkeypatch.setattr(locks, "PATIENT_WAIT", 0.1)

    with meanwhile(paused, lambda: apply(desk, run_id)) as raised, pytest.raises(ImportUnderWay):
        desk.analyse(desk.file_of(*pupils("3MELEC", 5)))

    assert raised == []


def _record_creation(desk: Desk, student_id: int) -> None:
    from cpro.audit.operations import About, record

    record("student:created", About("student", student_id, "Venu Nouveau"), by=desk.by, now=clock.utcnow())
