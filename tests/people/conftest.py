"""What tests of accounts of pupils share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.students.models import Division, Student
from cpro.users.models import Account
from tests.factories import World, make_account, make_student

Look = Callable[[], AbstractContextManager[Session]]


def logins(platform: Look, ids: list[int]) -> list[str | None]:
    """Return the login of each pupil's account, None without one."""
    with platform() as session:
        found = []
        for student_id in ids:
            account_id = session.get_one(Student, student_id).account_id
            found.append(session.get_one(Account, account_id).login if account_id else None)
        return found


@pytest.fixture
def pupils(world: World, arrange: Look) -> list[int]:
    """Give school A five more pupils: three present (two of one name, one of another division), one gone, one served.

    The world's own pupil gets the world's account.
    """
    with arrange() as session:
        session.get_one(Student, world.a.student_id).account_id = world.a.account_ids["student"]
        other = Division(establishment_id=world.a.id, code="1 CAP", label="")
        served = make_account(world.a.id, Role.STUDENT, login="lea.ambre")
        session.add_all([other, served])
        session.flush()
        made = [
            make_student(world.a.id, last_name="Ambre", first_name="Léa", division_id=world.a.division_id),
            make_student(world.a.id, last_name="Ambre", first_name="Léa", division_id=world.a.division_id),
            make_student(
                world.a.id, last_name="Naissance", usage_name="Usage", first_name="Élie", division_id=other.id
            ),
            make_student(world.a.id, is_active=False, division_id=world.a.division_id),
            make_student(world.a.id, account_id=served.id, division_id=world.a.division_id),
        ]
        session.add_all(made)
        session.flush()
        return [each.id for each in made]
