"""A column compared with thousands of values: one parameter on PostgreSQL, and planned for them in jobs."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import event, select, text

from cpro.core import tenancy
from cpro.core.among import is_among
from cpro.core.transactions import platform_unit_of_work
from cpro.extensions import db
from cpro.students.models import Division, Student
from tests.factories import World


def test_is_among_finds_numbers_and_texts_and_no_others(app: Flask, world: World) -> None:
    with app.app_context(), tenancy.platform_session("test") as session:
        every = {id_: code for id_, code in session.execute(select(Division.id, Division.code))}
        wanted = [world.a.division_id, None, 10**6]
        assert set(session.scalars(select(Division.id).where(is_among(Division.id, wanted)))) == {world.a.division_id}
        codes = [every[world.a.division_id], "NULLE PART", None]
        assert set(session.scalars(select(Division.code).where(is_among(Division.code, codes)))) == {codes[0]}
        assert not session.scalars(select(Division.id).where(is_among(Division.id, []))).all()
        assert not session.scalars(select(Student.id).where(is_among(Student.ine, [None]))).all(), "None is nobody's"


def test_is_among_thousands_of_values_are_one_parameter_on_postgresql(app: Flask, world: World) -> None:
    with app.app_context(), tenancy.platform_session("test") as session:
        sent: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
        assert session.scalars(select(Student.id).where(is_among(Student.id, range(1, 5001)))).all()
        placeholders = sent[-1].count("%(") or sent[-1].count("?")
        assert placeholders == (2 if db.engine.dialect.name == "postgresql" else 5000)


def test_jobs_and_commands_have_each_statement_planned_for_its_values(app: Flask) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        return  # which keeps no plan
    asked = text("SELECT current_setting('plan_cache_mode')")
    with app.app_context(), platform_unit_of_work("test") as work:
        assert work.session.scalar(asked) == "force_custom_plan"
    with app.test_request_context(), platform_unit_of_work("test") as work:
        assert work.session.scalar(asked) == "auto", "the same connection, set anew"
