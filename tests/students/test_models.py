"""What a pupil is called, and what lists by division are sorted by."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.bulk_writes import bulk_insert, bulk_update
from cpro.students.models import Division, Origin, Student
from tests.factories import NOW, World, make_student

Look = Callable[[], AbstractContextManager[Session]]


@pytest.mark.unit
@pytest.mark.parametrize(("usage_name", "expected"), [("Agate", "Agate"), ("", "Basalte")])
def test_shown_name_is_the_usage_name_where_there_is_one(usage_name: str, expected: str) -> None:
    assert Student(last_name="Basalte", usage_name=usage_name, first_name="Noé").shown_name == expected


class TestDivisionSort:
    """The database keeps it beside each pupil, however a pupil or a division is written."""

    @pytest.fixture
    def divisions(self, world: World, arrange: Look) -> list[int]:
        """Return the ids of two divisions of school A, and one of school B of the first one's code."""
        with arrange() as session:
            made = [
                Division(establishment_id=school.id, code=code)
                for school, code in ((world.a, "1MEL"), (world.a, "2 CIP"), (world.b, "1MEL"))
            ]
            session.add_all(made)
            session.flush()
            return [each.id for each in made]

    @pytest.fixture
    def sorts(self, platform: Look, world: World) -> Callable[[], dict[str, str]]:
        """Return what reads it, {last name: what its list is sorted by}."""

        def read() -> dict[str, str]:
            with platform() as session:
                found = session.execute(
                    select(Student.last_name, Student.division_sort).where(Student.first_name == "Trié")
                )
                return {name: sort for name, sort in found}

        return read

    def test_division_sort_of_pupils_created_moved_and_left_without(
        self, world: World, arrange: Look, divisions: list[int], sorts: Callable[[], dict[str, str]]
    ) -> None:
        first, second, _other = divisions
        with arrange() as session:
            session.add_all(
                make_student(world.a.id, last_name=name, first_name="Trié", division_id=division_id)
                for name, division_id in (("Un", first), ("Deux", second), ("Sans", None))
            )
        assert sorts() == {"Un": "01MEL", "Deux": "02 CIP", "Sans": "1"}

        with arrange() as session:
            for pupil in session.scalars(select(Student).where(Student.first_name == "Trié")):
                pupil.division_id = {"Un": None, "Deux": first, "Sans": second}[pupil.last_name]

        assert sorts() == {"Un": "1", "Deux": "01MEL", "Sans": "02 CIP"}

    def test_division_sort_of_rows_written_by_the_thousand(
        self, world: World, arrange: Look, divisions: list[int], sorts: Callable[[], dict[str, str]]
    ) -> None:
        first, second, _other = divisions
        with arrange() as session:
            bulk_insert(
                session,
                Student,
                [
                    {
                        "establishment_id": world.a.id,
                        "last_name": f"P{number}",
                        "first_name": "Trié",
                        "came_by": Origin.TABLE,
                        "division_id": first,
                        "created_at": NOW,
                    }
                    for number in range(3)
                ],
            )
        assert sorts() == dict.fromkeys(("P0", "P1", "P2"), "01MEL")

        with arrange() as session:
            ids = session.scalars(select(Student.id).where(Student.first_name == "Trié")).all()
            bulk_update(session, Student, [{"id": each, "division_id": second} for each in ids[:2]])

        assert sorts() == {"P0": "02 CIP", "P1": "02 CIP", "P2": "01MEL"}

    def test_division_sort_follows_the_code_of_its_own_division(
        self, world: World, arrange: Look, divisions: list[int], sorts: Callable[[], dict[str, str]]
    ) -> None:
        first, second, other = divisions
        with arrange() as session:
            session.add_all(
                make_student(school.id, last_name=name, first_name="Trié", division_id=division_id)
                for school, name, division_id in (
                    (world.a, "Un", first),
                    (world.a, "Deux", second),
                    (world.b, "Ailleurs", other),
                )
            )

        with arrange() as session:
            session.get_one(Division, first).code = "TMEL"
            session.get_one(Division, second).label = "Deuxième"

        assert sorts() == {"Un": "0TMEL", "Deux": "02 CIP", "Ailleurs": "01MEL"}
