"""What tests of pupils share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from cpro.students.models import Division
from tests.factories import World, make_diploma, make_mef, make_student

Look = Callable[[], AbstractContextManager[Session]]
FIRST_YEAR, SECOND_YEAR, OTHER = "24125221210", "24125221220", "24723203310"


@pytest.fixture
def courses(world: World, arrange: Look) -> dict[str, int]:
    """Give school A three courses to link, and two own diplomas; pupils of 1CAP and 2CAP follow the first two."""
    with arrange() as session:
        school = world.a.id
        ids = {}
        for code in (FIRST_YEAR, SECOND_YEAR, OTHER):
            mef = make_mef(school, code=code, label=f"Formation {code[-3:]}")
            session.add(mef)
            session.flush()
            ids[code] = mef.id
        session.add_all(make_diploma(code=code, short_label=code, establishment_id=school) for code in ("CAP-X", "PRO"))
        for division_code, followed in (("1CAP", FIRST_YEAR), ("2CAP", SECOND_YEAR)):
            division = Division(establishment_id=school, code=division_code, label="")
            session.add(division)
            session.flush()
            ids[division_code] = division.id
            session.add(make_student(school, division_id=division.id, mef_code=followed))
        return ids
