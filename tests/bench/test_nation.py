"""The nation that figures are measured in: schools whose rows go together, as those of people do."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import func, select

from bench.nation import Nation, fill
from cpro.audit.models import AuditEntry
from cpro.core import tenancy
from cpro.establishments.models import Establishment
from cpro.records.models import Bilan, Evaluation, Fiche
from cpro.students.models import Student, TeacherDivision
from cpro.users.models import Account


def test_fill_each_school_has_its_own_pupils_teachers_records_and_journal(app: Flask) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        return  # PostgreSQL alone makes these rows
    with app.app_context():
        fill(Nation(schools=2, pupils=30, fiches=2, evaluations=3, bilans=1, lines=5))
        with tenancy.platform_session("test") as session:
            filled = select(Establishment.id).where(Establishment.code.like("ecole%")).scalar_subquery()
            numbers = {
                model.__tablename__: session.execute(
                    select(model.establishment_id, func.count(model.id))
                    .where(model.establishment_id.in_(filled))
                    .group_by(model.establishment_id)
                ).all()
                for model in (Student, Account, TeacherDivision, Fiche, Evaluation, Bilan, AuditEntry)
            }
    assert {name: [number for _school, number in of_school] for name, of_school in numbers.items()} == {
        "student": [30, 30],
        "account": [33, 33],
        "teacher_division": [3, 3],
        "fiche": [60, 60],
        "evaluation": [90, 90],
        "bilan": [30, 30],
        "audit_entry": [5, 5],
    }
