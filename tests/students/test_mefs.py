"""Which diploma a division has, given its courses (MEF)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.tenancy import Scope
from cpro.students.mefs import deduce_diplomas, diploma_of_division
from tests.factories import World, make_diploma
from tests.helpers.browser import Browser

Look = Callable[[], AbstractContextManager[Session]]
SCREEN = "/admin/mefs"


def link(browser: Browser, mef_id: int, diploma: str, **fields: str) -> int:
    """Correct a course as the page does, the box of its other years as it stands unless said; return the status."""
    address = f"{SCREEN}/edit/?id={mef_id}"
    return browser.post(address, {**browser.form(address), "diploma": diploma, **fields}).status_code


class TestDeduceDiplomas:
    def test_deduce_diplomas_reads_the_code_of_the_national_diploma_in_that_of_the_course(
        self, app: Flask, world: World, arrange: Look
    ) -> None:
        with arrange() as session:
            cap = make_diploma(code="50025524")
            session.add_all([cap, make_diploma(code="40025519", establishment_id=world.a.id)])
            session.flush()
            cap_id = cap.id
        courses = {"24125524210": cap_id, "24025524110": cap_id, "24725524310": None, "24725519310": None, "x": None}

        with app.app_context():
            tenancy.enter(Scope(world.a.id))
            assert deduce_diplomas(courses) == courses


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
