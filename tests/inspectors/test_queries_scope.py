"""A mandate is a scope: what narrows, what refuses to write, what ends, and on whose clocks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, exists, func, select, union_all, update
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from cpro.core.clock import end_of, last_day_of_school_year, start_of, today_in
from cpro.core.tenancy import DiplomaScoped, Scope, ScopeEnded, TenancyError, enter
from cpro.core.transactions import unit_of_work
from cpro.establishments.models import Establishment
from cpro.extensions import db
from cpro.inspectors.models import MandateState
from cpro.inspectors.queries import list_open_schools
from cpro.students.models import Diploma, Division, Student
from tests.factories import NOW, World, make_mandate
from tests.inspectors.conftest import Desk
from tests.test_tenancy import CARELESS_READINGS

Arrange = Callable[[], AbstractContextManager[Session]]
Opener = Callable[..., int]


def work(app: Flask, **scope: Any) -> AbstractContextManager[None]:
    from contextlib import contextmanager

    @contextmanager
    def inside() -> Any:
        with app.app_context():
            enter(Scope(**scope))
            yield

    return inside()


class TestScopeOfDiplomas:
    @pytest.mark.parametrize("name", CARELESS_READINGS)
    def test_scope_a_careless_reading_sees_the_diplomas_students_only(
        self, app: Flask, world: World, first_diploma: int, second_diploma: int, name: str
    ) -> None:
        read = CARELESS_READINGS[name]
        with work(app, establishment_id=world.a.id, diploma_ids=frozenset({first_diploma}), read_only=True):
            assert read(db.session(), world) == ["Secret-alpha"]
        with work(app, establishment_id=world.a.id, diploma_ids=frozenset({second_diploma}), read_only=True):
            seen = read(db.session(), world)
            assert "Secret-alpha" not in seen
            assert name == "a condition on a related row" or seen == ["Autre-diplome"]
        with work(app, establishment_id=world.a.id, diploma_ids=frozenset(), read_only=True):
            assert read(db.session(), world) == []

    def test_scope_a_condition_written_in_every_way_is_narrowed(
        self, app: Flask, world: World, first_diploma: int, second_diploma: int
    ) -> None:
        ids = frozenset({second_diploma})
        hidden, other = world.a.student_id, aliased(Division)
        with work(app, establishment_id=world.a.id, diploma_ids=ids, read_only=True):
            session = db.session()
            assert session.get(Student, hidden) is None
            assert session.get(Division, world.a.division_id) is None
            assert session.get(Diploma, first_diploma) is None
            assert session.scalar(select(func.count(Student.id))) == 1
            assert session.scalar(select(func.count()).select_from(Division)) == 1
            assert session.scalar(select(select(Student.id).where(Student.id == hidden).exists())) is False
            assert session.scalar(select(func.count()).select_from(select(Student.id).subquery())) == 1
            assert (
                list(session.scalars(union_all(select(Student.last_name), select(Student.last_name))))
                == ["Autre-diplome"] * 2
            )
            assert list(
                session.scalars(
                    select(Student.last_name)
                    .join(Division, Division.id == Student.division_id)
                    .join(other, other.id == Division.id)
                    .join(Diploma, Diploma.id == other.diploma_id)
                )
            ) == ["Autre-diplome"]
            assert [each.code for each in session.scalars(select(aliased(Division)))] == ["1CAP"]
            assert [each.code for each in session.scalars(select(Diploma))] == ["CAP-ELEC"]
            (student,) = session.scalars(select(Student).options(selectinload(Student.division)))
            assert student.division is not None
            (division,) = session.scalars(select(Division).options(joinedload(Division.diploma)))
            assert division.diploma is not None
            assert session.scalar(select(Division.id).where(~Division.diploma.has())) is None
            with pytest.raises(TenancyError):
                session.scalar(select(exists().where(Student.id == hidden)))

    def test_scope_each_model_about_a_diploma_says_how_it_is_narrowed(self) -> None:
        assert {model.__name__ for model in DiplomaScoped.__subclasses__()} == {
            "Competence",
            "Diploma",
            "Division",
            "PupilRecord",
            "Scenario",
            "ScenarioCoAuthor",
            "ScenarioCompetence",
            "ScenarioLink",
            "Student",
        }
        for model in DiplomaScoped.__subclasses__():
            assert "is_within" in vars(model), f"{model.__name__} must say which of its rows are about a diploma"

    def test_scope_without_diplomas_named_nothing_is_hidden(
        self, app: Flask, world: World, second_diploma: int
    ) -> None:
        with work(app, establishment_id=world.a.id, read_only=True):
            assert db.session.scalar(select(func.count(Student.id))) == 3


class TestScopeReadingOnly:
    def test_scope_every_way_of_writing_is_refused(self, app: Flask, world: World, first_diploma: int) -> None:
        scope = {"establishment_id": world.a.id, "diploma_ids": frozenset({first_diploma}), "read_only": True}
        with work(app, **scope):
            session = db.session()
            for statement in (update(Student).values(first_name="X"), delete(Student)):
                with pytest.raises(TenancyError):
                    session.execute(statement)
            with pytest.raises(TenancyError), unit_of_work():
                session.get_one(Student, world.a.student_id).first_name = "X"


class TestScopeEnd:
    def test_scope_a_statement_after_the_end_is_refused(self, app: Flask, world: World) -> None:
        until = datetime(2026, 12, 31, 23, tzinfo=UTC)
        with time_machine.travel(until - timedelta(seconds=1), tick=False) as clock:
            with work(app, establishment_id=world.a.id, read_only=True, until=until):
                assert db.session.scalar(select(func.count(Student.id))) == 1
                clock.shift(1)
                with pytest.raises(ScopeEnded):
                    db.session.scalar(select(func.count(Student.id)))

    @pytest.mark.parametrize(
        ("timezone", "midnight"),
        [
            ("Europe/Paris", datetime(2026, 12, 31, 23, tzinfo=UTC)),
            ("Indian/Reunion", datetime(2026, 12, 31, 20, tzinfo=UTC)),
            ("America/Martinique", datetime(2027, 1, 1, 4, tzinfo=UTC)),
            ("Pacific/Noumea", datetime(2026, 12, 31, 13, tzinfo=UTC)),
            ("Pacific/Tahiti", datetime(2027, 1, 1, 10, tzinfo=UTC)),
        ],
    )
    def test_list_open_schools_a_mandate_ends_at_midnight_of_the_school_after_its_last_day(
        self, app: Flask, world: World, arrange: Arrange, open_to_inspector: Opener, timezone: str, midnight: datetime
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).timezone = timezone
        open_to_inspector(ends_on=date(2026, 12, 31))

        with app.app_context():
            (school,) = list_open_schools(world.inspector_id, midnight - timedelta(seconds=1))
            assert school.scope.until == midnight
            assert list_open_schools(world.inspector_id, midnight) == []

    @pytest.mark.parametrize(
        ("timezone", "midnight"),
        [
            ("Indian/Reunion", datetime(2026, 11, 30, 20, tzinfo=UTC)),
            ("Pacific/Tahiti", datetime(2026, 12, 1, 10, tzinfo=UTC)),
        ],
    )
    def test_list_open_schools_begins_at_midnight_of_the_school(
        self, app: Flask, world: World, arrange: Arrange, open_to_inspector: Opener, timezone: str, midnight: datetime
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).timezone = timezone
        open_to_inspector(starts_on=date(2026, 12, 1))

        with app.app_context():
            assert list_open_schools(world.inspector_id, midnight - timedelta(seconds=1)) == []
            assert len(list_open_schools(world.inspector_id, midnight)) == 1

    def test_scope_the_next_request_after_midnight_is_led_out(
        self, desk: Desk, world: World, arrange: Arrange, open_to_inspector: Opener
    ) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.a.id).timezone = "Indian/Reunion"
        open_to_inspector(ends_on=date(2026, 12, 31))

        with time_machine.travel(datetime(2026, 12, 31, 19, 59, 50, tzinfo=UTC), tick=False) as clock:
            browser = desk.browser("inspector", enter="a")
            assert browser.get("/admin/eleves/").status_code == 200
            clock.shift(timedelta(seconds=10))
            answer = browser.get("/admin/eleves/")
            text = browser.get("/ecoles").text

        assert (answer.status_code, answer.location) == (303, "/ecoles")
        assert "a pris fin" in text
        assert "Lycée alpha" not in text
        assert [line["establishment_id"] for line in desk.lines("school:left")] == [world.a.id]


class TestMandatePeriods:
    @pytest.mark.parametrize(
        ("day", "last"),
        [
            (date(2026, 9, 1), date(2027, 8, 31)),
            (date(2026, 11, 23), date(2027, 8, 31)),
            (date(2027, 8, 31), date(2027, 8, 31)),
        ],
    )
    def test_last_day_of_school_year_a_school_year_ends_on_31_august(self, day: date, last: date) -> None:
        assert last_day_of_school_year(day) == last

    def test_start_of_and_end_of_a_day_of_a_clock_change_are_whole(self) -> None:
        assert end_of(date(2027, 3, 28), "Europe/Paris") - start_of(date(2027, 3, 28), "Europe/Paris") == timedelta(
            hours=23
        )

    def test_today_in_a_blank_time_zone_is_pariss(self) -> None:
        assert today_in("", datetime(2026, 11, 23, 23, 30, tzinfo=UTC)) == date(2026, 11, 24)

    @pytest.mark.parametrize(
        ("values", "state"),
        [
            ({"starts_on": date(2026, 11, 24)}, MandateState.TO_COME),
            ({"starts_on": date(2026, 11, 23), "ends_on": date(2026, 11, 23)}, MandateState.RUNNING),
            ({"ends_on": date(2026, 11, 22)}, MandateState.ENDED),
            ({"closed_at": NOW, "closing_reason": "x"}, MandateState.CLOSED),
        ],
    )
    def test_mandate_states(self, world: World, values: dict[str, Any], state: MandateState) -> None:
        assert make_mandate(world, **values).state_on(date(2026, 11, 23)) is state
