"""Wordings of a diploma, written through the operation and read from the database."""

from __future__ import annotations

from flask import Flask

from cpro.core.transactions import unit_of_work
from cpro.masks.models import Mask
from cpro.masks.operations import (
    update_wordings,
)
from cpro.students.models import Diploma
from cpro.students.queries import find_diploma
from tests.factories import NOW, TESTER, World
from tests.helpers.records import rows


def diploma_of(world: World) -> Diploma:
    """Return the diploma both schools prepare for."""
    diploma = find_diploma(world.diploma_code)
    assert diploma is not None
    return diploma


def word(world: World, opened_on: str | None = None, **values: str) -> dict[str, tuple[str, str]]:
    """Set wordings of the diploma."""
    with unit_of_work():
        return update_wordings(diploma_of(world), values, opened_on=opened_on, by=TESTER, now=NOW)


def wordings(app: Flask, school_id: int) -> dict[str, str]:
    """Return the stored wordings of a school, all diplomas together."""
    return {row["key"]: row["wording"] for row in rows(app, Mask) if row["establishment_id"] == school_id}
