"""The last word against overwriting: the operation compares once more, under the lock, whatever the page compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask

from cpro.core.concurrency import StaleForm, fingerprint
from cpro.extensions import db
from cpro.students.mefs import mef_values, update_mef
from cpro.students.models import MEF, Diploma, Division, Student
from cpro.students.operations import (
    diploma_values,
    division_values,
    student_values,
    update_diploma,
    update_division,
    update_student,
)
from tests.factories import World, make_diploma, make_mef
from tests.helpers.office import Office
from tests.helpers.records import nothing_written, rows, set_school, set_up

Update = Callable[..., None]


def values_of(row: Any) -> dict[str, str]:
    """Return a row as its form shows it."""
    if isinstance(row, Student):
        return student_values(row, db.session.get(Division, row.division_id) if row.division_id else None)
    if isinstance(row, MEF):
        return mef_values(row, db.session.get(Diploma, row.diploma_id) if row.diploma_id else None)
    if isinstance(row, Division):
        return division_values(row, db.session.get(Diploma, row.diploma_id) if row.diploma_id else None)
    return diploma_values(row)


@pytest.mark.parametrize(
    ("model", "update", "field"),
    [
        (Student, update_student, "first_name"),
        (Division, update_division, "label"),
        (Diploma, update_diploma, "label"),
        (MEF, update_mef, "label"),
    ],
)
def test_update_refuses_what_was_saved_since_the_form_was_opened(
    app: Flask, world: World, model: Any, update: Update, field: str
) -> None:
    set_school(app, world.a.id, uses_siecle=False)
    own = [make_diploma(code="MAISON", establishment_id=world.a.id), make_mef(world.a.id)]
    set_up(app, lambda session: session.add_all(own))
    row_id = next(
        row["id"]
        for row in rows(app, model)
        if row["establishment_id"] == world.a.id and row.get("code") != world.diploma_code
    )

    def write(seen: Mapping[str, str], **act: Any) -> None:
        row = db.session.get_one(model, row_id)
        stored = values_of(row)
        update(row, {**stored, field: "Saisi"}, opened_on=fingerprint({**stored, **seen}), **act)

    with nothing_written(app), pytest.raises(StaleForm):
        Office(app, world).act(write, seen={field: "Ce que la page montrait"})

    Office(app, world).act(write, seen={})
    assert next(row for row in rows(app, model) if row["id"] == row_id)[field] == "Saisi"
