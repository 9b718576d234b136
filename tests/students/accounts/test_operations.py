"""Accounts of pupils wait for the school's particulars: asked by the operations themselves, whatever a page did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from cpro.establishments.gate import GateClosed
from cpro.students.accounts.operations import create_pupil_account, open_accounts, open_or_send
from cpro.students.accounts.queries import Selection
from cpro.users.models import Account
from tests.factories import World
from tests.helpers.office import Office
from tests.helpers.records import nothing_written, rows, set_school

missing = pytest.mark.parametrize("values", [{"name": ""}, {"email": ""}, {"uai": None}], ids=str)


@missing
@pytest.mark.parametrize("operation", [open_accounts, open_or_send])
def test_open_accounts_waits_for_the_particulars(
    app: Flask, world: World, operation: Callable[..., object], values: dict[str, Any]
) -> None:
    set_school(app, world.a.id, **values)
    everyone = Selection(is_everyone=True)

    with nothing_written(app), pytest.raises(GateClosed):
        Office(app, world).act(operation, selection=everyone)

    opened = Office(app, world, "b").act(operation, selection=everyone)
    assert opened in (1, (1, None))


@missing
def test_create_pupil_account_waits_for_the_particulars_before_it_says_anything_else(
    app: Flask, world: World, values: dict[str, Any]
) -> None:
    set_school(app, world.a.id, **values)
    typed = {"role": "student"}

    for student_id in (world.a.student_id, world.b.student_id, None):
        with nothing_written(app), pytest.raises(GateClosed):
            Office(app, world).act(create_pupil_account, values=typed, student_id=student_id)

    before = len(rows(app, Account))
    Office(app, world, "b").act(create_pupil_account, values=typed, student_id=world.b.student_id)
    assert [row["establishment_id"] for row in rows(app, Account)[before:]] == [world.b.id]
