"""Departed pupils, their records, and the nightly job that deletes them."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.core.jobs.operations import enqueue
from cpro.core.jobs.runner import Runner
from cpro.core.transactions import platform_unit_of_work
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.students.models import Student
from tests.factories import NOW, TESTER
from tests.helpers.records import rows, set_up
from tests.records.conftest import make_bilan, make_evaluation, make_fiche


def leave(app: Flask, student_id: int, departed_on: date | None) -> None:
    def change(session: Session) -> None:
        student = session.get_one(Student, student_id)
        student.is_active, student.departed_on = False, departed_on

    set_up(app, change)


def give(app: Flask, student_id: int) -> None:
    """Give a pupil a fiche, an évaluation about it and a bilan."""

    def change(session: Session) -> None:
        student = session.get_one(Student, student_id)
        fiche = make_fiche(student)
        session.add(fiche)
        session.flush()
        competence = session.scalars(select(Competence).limit(1)).one()
        session.add_all([make_evaluation(student, competence, fiche_uid=fiche.origin_uid), make_bilan(student)])

    set_up(app, change)


def backdate(app: Flask, student_id: int, *, created: datetime, written: dict[Any, datetime]) -> None:
    """Set when a pupil came, and when each kind of their records was last changed: years ago by default."""

    def change(session: Session) -> None:
        session.get_one(Student, student_id).created_at = created
        for model in (Fiche, Evaluation, Bilan):
            for row in session.scalars(select(model).where(model.student_id == student_id)):
                row.changed_at = written.get(model, datetime(2019, 1, 1, tzinfo=UTC))

    set_up(app, change)


def night(app: Flask, now: datetime = NOW) -> None:
    """Run the nightly job."""
    with time_machine.travel(now, tick=True):
        with app.app_context(), platform_unit_of_work("test") as work:
            enqueue("records:expire", by=TESTER, now=now, session=work.session)
        Runner(app, threading.Event()).drain()


def owners(app: Flask) -> dict[str, set[int]]:
    """Return the pupils who have records, by kind."""
    return {
        model.__tablename__: {row["student_id"] for row in rows(app, model)} for model in (Fiche, Evaluation, Bilan)
    }
