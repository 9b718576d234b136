"""Which diploma a division has, given its courses (MEF)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from cpro.students.mefs import diploma_of_division
from cpro.students.models import Division
from tests.factories import World, make_diploma, make_mef, make_student
from tests.helpers.browser import Browser

Look = Callable[[], AbstractContextManager[Session]]
FIRST_YEAR, SECOND_YEAR, OTHER = "24125221210", "24125221220", "24723203310"
SCREEN = "/admin/mefs"


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


def link(browser: Browser, mef_id: int, diploma: str, **fields: str) -> int:
    """Correct a course as the page does, the box of its other years as it stands unless said; return the status."""
    address = f"{SCREEN}/edit/?id={mef_id}"
    return browser.post(address, {**browser.form(address), "diploma": diploma, **fields}).status_code


class TestDiplomaOfDivision:
    @pytest.mark.parametrize(
        ("present", "leads_to", "withdrawn", "expected"),
        [
            (None, {1}, None, 1),
            (2, {1}, None, 1),
            (None, set(), None, None),
            (2, set(), None, 2),
            (2, {1, 2}, None, 2),
            (None, {1, 2}, None, None),
            (2, set(), 2, None),
            (2, {1, 3}, 2, None),
            (2, {1, 2}, 2, 2),
            (2, {1, 3}, 4, 2),
        ],
    )
    def test_diploma_of_division_the_only_diploma_or_the_present_one(
        self, present: int | None, leads_to: set[int], withdrawn: int | None, expected: int | None
    ) -> None:
        assert diploma_of_division(present, leads_to, withdrawn=withdrawn) == expected
