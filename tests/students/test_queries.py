"""Students without INE: who is listed, who is counted; courses that present students follow and no list has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.lists import ListState
from cpro.core.tenancy import Scope
from cpro.extensions import db
from cpro.students.queries import WithoutINE, count_without_ine, find_without_ine, select_unknown_mefs
from tests.factories import World, make_mef, make_student
from tests.helpers.records import set_up

TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """Stop the clock on `TODAY`."""
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), tick=False):
        yield


def add_students(app: Flask, school_id: int, *students: dict[str, Any]) -> None:
    """Add students without INE to a school."""

    def change(session: Session) -> None:
        session.add_all([make_student(school_id, **{"ine": None, **values}) for values in students])

    set_up(app, change)


@pytest.fixture
def in_a(app: Flask, world: World) -> Iterator[None]:
    with app.app_context():
        tenancy.enter(Scope(world.a.id))
        yield


class TestListWithoutINE:
    def test_find_without_ine_those_with_an_ine_are_not(self, app: Flask, world: World, in_a: None) -> None:
        add_students(app, world.a.id, {"ine": "123456789AB"}, {"ine": "123456789CD", "is_active": False})

        assert count_without_ine(TODAY) == WithoutINE(active=1, departed=0)

    def test_find_without_ine_those_of_the_other_school_are_not(self, app: Flask, world: World, in_a: None) -> None:
        add_students(app, world.b.id, {}, {"is_active": False})

        assert [each.last_name for each in find_without_ine(ListState(size=50), TODAY).rows] == ["Secret-alpha"]
        assert count_without_ine(TODAY) == WithoutINE(active=1, departed=0)

    @pytest.mark.parametrize(
        ("departed_on", "departed"),
        [(date(2026, 7, 4), 1), (date(2023, 11, 23), 1), (date(2023, 11, 22), 0), (date(2019, 7, 4), 0), (None, 1)],
    )
    def test_count_without_ine_the_departed_are_counted_apart_as_long_as_their_records_are_kept(
        self, app: Flask, world: World, in_a: None, departed_on: date | None, departed: int
    ) -> None:
        add_students(app, world.a.id, {"is_active": False, "departed_on": departed_on})

        assert count_without_ine(TODAY) == WithoutINE(active=1, departed=departed)
        assert len(find_without_ine(ListState(size=50), TODAY).rows) == 1 + departed

    def test_count_without_ine_the_leap_day_is_no_trouble(self, app: Flask, world: World, in_a: None) -> None:
        assert count_without_ine(date(2028, 2, 29)).active == 1

    def test_find_without_ine_the_active_come_first_then_by_name_whatever_the_accents(
        self, app: Flask, world: World, in_a: None
    ) -> None:
        add_students(
            app,
            world.a.id,
            {"last_name": "Agate", "is_active": False, "departed_on": date(2026, 7, 4)},
            {"last_name": "Zircon"},
            {"last_name": "Émeraude", "first_name": "Tom"},
            {"last_name": "Émeraude", "first_name": "Anaïs"},
            {"last_name": "ardoise"},
        )

        names = [f"{each.last_name} {each.first_name}" for each in find_without_ine(ListState(size=50), TODAY).rows]

        assert names == ["ardoise Zoé", "Émeraude Anaïs", "Émeraude Tom", "Secret-alpha Zoé", "Zircon Zoé", "Agate Zoé"]


def test_select_unknown_mefs_each_code_of_present_students_once_but_those_of_the_list(
    app: Flask, world: World, in_a: None
) -> None:
    set_up(app, lambda session: session.add(make_mef(world.a.id, code="24700000003")))
    add_students(
        app,
        world.a.id,
        {"mef_code": ""},
        {"mef_code": "24700000001", "is_active": False},  # all have left
        {"mef_code": "24700000002", "is_active": False},
        {"mef_code": "24700000002"},
        {"mef_code": "24700000002"},
        {"mef_code": "24700000003"},
        {"mef_code": "24700000005"},
        {"mef_code": "24700000006", "is_active": False},
    )
    add_students(app, world.b.id, {"mef_code": "24700000004"})

    assert list(db.session.scalars(select_unknown_mefs())) == ["24700000002", "24700000005"]


def test_select_unknown_mefs_a_school_whose_students_follow_none_has_none(app: Flask, world: World, in_a: None) -> None:
    add_students(app, world.a.id, {"mef_code": ""}, {"mef_code": "24700000001", "is_active": False})

    assert list(db.session.scalars(select_unknown_mefs())) == []
