"""A pupil with records, the people around them, and what a PDF says when it is read back."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.test import TestResponse

from cpro.core import tenancy
from cpro.core.jobs.runner import Runner
from cpro.core.transactions import platform_unit_of_work
from cpro.passport.models import PassportIssue
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState, Place
from cpro.students.models import TeacherDivision
from tests.factories import NOW, World, make_student

needs_pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler) is not installed")
SECRET = "Câblage-confidentiel"
_serial = iter(range(1, 10**9))


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def fiche(student_id: int = 0, **values: Any) -> Fiche:
    """Return a validated fiche, unsaved."""
    number = next(_serial)
    return Fiche(
        **{
            "student_id": student_id,
            "origin_uid": f"fiche-{number}",
            "author_label": "Inès QUARTZ",
            "created_at": NOW,
            "changed_at": NOW,
            "origin_school": "",
            "title": f"{SECRET} {number}",
            "place": Place.COMPANY,
            "place_name": "Société d’essai",
            "starts_on": date(2026, 2, 2),
            "ends_on": date(2026, 2, 27),
            "tasks": "<p>Poser une <strong>armoire</strong>.</p>",
            "state": FicheState.VALIDATED,
            "validated_at": NOW,
            "validated_by_label": "Inès QUARTZ",
            **values,
        }
    )


def evaluation(student_id: int = 0, **values: Any) -> Evaluation:
    """Return an évaluation, unsaved."""
    number = next(_serial)
    return Evaluation(
        **{
            "student_id": student_id,
            "origin_uid": f"evaluation-{number}",
            "author_label": "Inès QUARTZ",
            "created_at": NOW,
            "changed_at": NOW,
            "origin_school": "",
            "competence_code": "C1",
            "competence_label": "Analyser les conditions de l’opération",
            "diploma_code": "40025520",
            "diploma_label": "Bac pro MELEC",
            "level": 3,
            "evaluated_on": date(2026, 3, 1) + timedelta(days=number % 200),
            "scenario_title": "Chantier d’essai",
            **values,
        }
    )


def bilan(student_id: int = 0, **values: Any) -> Bilan:
    """Return a bilan, unsaved."""
    return Bilan(
        **{
            "student_id": student_id,
            "origin_uid": f"bilan-{next(_serial)}",
            "author_label": "Inès QUARTZ",
            "created_at": NOW,
            "changed_at": NOW,
            "origin_school": "",
            "starts_on": date(2026, 1, 5),
            "ends_on": date(2026, 6, 30),
            "body": "<p>Une année régulière.</p>",
            **values,
        }
    )


@dataclass
class Class_:
    """One school's division: its pupil with an account, its teacher, and actions past the rules."""

    app: Flask
    world: World
    school_name: str
    pupil_id: int

    @property
    def division_id(self) -> int:
        """Return the division."""
        return self.world.school(self.school_name).division_id

    def add(self, *rows: Any) -> None:
        """Add rows to the school."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            for row in rows:
                row.establishment_id = self.world.school(self.school_name).id
                work.session.add(row)

    def add_pupil(self, **values: Any) -> int:
        """Add a pupil of the division; return their id."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            school = self.world.school(self.school_name)
            student = make_student(school.id, **{"division_id": school.division_id, **values})
            work.session.add(student)
            work.session.flush()
            return student.id

    def change(self, model: Any, row_id: int, **values: Any) -> None:
        """Set columns of a row."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            for name, value in values.items():
                setattr(work.session.get_one(model, row_id), name, value)

    def issues(self) -> list[PassportIssue]:
        """Return the passports issued, all schools."""
        with self.app.app_context(), tenancy.platform_session("test") as session:
            return list(session.scalars(select(PassportIssue).order_by(PassportIssue.id)))

    def work(self) -> None:
        """Do every job there is, here and now."""
        Runner(self.app, threading.Event()).drain()


def _class(app: Flask, world: World, name: str) -> Class_:
    school = world.school(name)
    with app.app_context(), platform_unit_of_work("test") as work:
        student = make_student(
            school.id,
            last_name="Agate",
            first_name="Noé",
            division_id=school.division_id,
            account_id=school.account_ids["student"],
        )
        work.session.add(student)
        work.session.add(
            TeacherDivision(
                establishment_id=school.id, account_id=school.account_ids["teacher"], division_id=school.division_id
            )
        )
        work.session.flush()
        pupil_id = student.id
    found = Class_(app, world, name, pupil_id)
    found.add(fiche(pupil_id))
    found.add(evaluation(pupil_id), evaluation(pupil_id, level=4), bilan(pupil_id))
    return found


@pytest.fixture
def class_a(app: Flask, world: World) -> Class_:
    """Return the division of school A: AGATE Noé, with a fiche, two évaluations and a bilan."""
    return _class(app, world, "a")


@pytest.fixture
def class_b(app: Flask, world: World) -> Class_:
    """Return the same in school B."""
    return _class(app, world, "b")


def pdf_of(answer: TestResponse) -> PdfReader:
    """Return the PDF of an answer."""
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/pdf"
    return PdfReader(io.BytesIO(answer.data))


def printed_code(reader: PdfReader) -> str:
    """Return the code printed at the foot of the first page."""
    found = re.search(r"Code de vérification\s+([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})", reader.pages[0].extract_text())
    assert found
    return found[1]


@pytest.fixture
def text_of(tmp_path: Path) -> Callable[[bytes], str]:
    """Return a reader of a PDF's text, white space folded, as pdftotext extracts it."""

    def read(content: bytes) -> str:
        (tmp_path / "read.pdf").write_bytes(content)
        command = ["pdftotext", "-layout", "read.pdf", "-"]
        outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
        return re.sub(r"\s+", " ", outcome.stdout.decode())

    return read
