"""Reading mandates: which ones overlap, how a school calls its inspectors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.permissions import Role
from cpro.inspectors.queries import find_name_in_school, find_overlapping
from cpro.users.models import PlatformAccount
from tests.factories import NOW, World
from tests.inspectors.conftest import day

Arrange = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def other_inspector(arrange: Arrange) -> int:
    """Return a second inspector, without mandate."""
    with arrange() as session:
        account = PlatformAccount(email="autre@cpro.example", role=Role.INSPECTOR, name="Autre", created_at=NOW)
        session.add(account)
        session.flush()
        return account.id


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [
        ({}, True),
        ({"starts_on": day("2027-01-20"), "ends_on": day("2027-01-25")}, True),
        ({"starts_on": day("2027-01-21"), "ends_on": day("2027-01-25")}, False),
        ({"starts_on": day("2027-01-05"), "ends_on": day("2027-01-10")}, True),
        ({"starts_on": day("2027-01-05"), "ends_on": day("2027-01-09")}, False),
        ({"who": "the other inspector"}, False),
        ({"where": "b"}, False),
        ({"besides": "itself"}, False),
        ({"closing": {"closed_at": NOW, "closing_reason": "Visite faite"}}, False),
    ],
    ids=str,
)
def test_find_overlapping_is_of_the_same_inspector_school_and_days(
    app: Flask,
    world: World,
    open_to_inspector: Callable[..., int],
    other_inspector: int,
    asked: dict[str, Any],
    is_found: bool,
) -> None:
    days = {"starts_on": day("2027-01-10"), "ends_on": day("2027-01-20")}
    mandate_id = open_to_inspector("a", **days, **asked.get("closing", {}))

    with app.app_context(), tenancy.platform_session("test") as session:
        found = find_overlapping(
            session,
            other_inspector if "who" in asked else world.inspector_id,
            establishment_id=world.school(asked.get("where", "a")).id,
            besides=mandate_id if "besides" in asked else None,
            **{name: asked.get(name, day_) for name, day_ in days.items()},
        )

    assert (found is not None) is is_found


def test_find_name_in_school_is_the_latest_the_school_gave_to_that_inspector(
    app: Flask, world: World, other_inspector: int, open_to_inspector: Callable[..., int]
) -> None:
    open_to_inspector("a", inspector_name="Ancien nom")
    open_to_inspector("b", inspector_name="Nom chez beta")
    open_to_inspector("a", inspector_name="Nouveau nom")
    open_to_inspector("a", inspector_id=other_inspector, inspector_name="Autre nom")

    with app.app_context():
        names = [
            find_name_in_school(person, school.id)
            for person, school in (
                (world.inspector_id, world.a),
                (world.inspector_id, world.b),
                (other_inspector, world.a),
                (other_inspector, world.b),
            )
        ]

    assert names == ["Nouveau nom", "Nom chez beta", "Autre nom", None]
