"""Reading mandates: how a school calls its inspectors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Flask
from sqlalchemy.orm import Session

from cpro.core.permissions import Role
from cpro.inspectors.queries import find_name_in_school
from cpro.users.models import PlatformAccount
from tests.factories import NOW, World

Arrange = Callable[[], AbstractContextManager[Session]]


def test_find_name_in_school_is_the_latest_the_school_gave_to_that_inspector(
    app: Flask, world: World, arrange: Arrange, open_to_inspector: Callable[..., int]
) -> None:
    with arrange() as session:
        other = PlatformAccount(
            email="autre@cpro.example", role_value=Role.INSPECTOR.value, name="Autre", created_at=NOW
        )
        stranger = PlatformAccount(
            email="tiers@cpro.example", role_value=Role.INSPECTOR.value, name="Tiers", created_at=NOW
        )
        session.add_all([other, stranger])
        session.flush()
        other_id, stranger_id = other.id, stranger.id
    open_to_inspector("a", inspector_name="Ancien nom")
    open_to_inspector("b", inspector_name="Nom chez beta")
    open_to_inspector("a", inspector_name="Nouveau nom")
    open_to_inspector("a", inspector_id=other_id, inspector_name="Autre nom")

    with app.app_context():
        names = [
            find_name_in_school(person, school.id)
            for person, school in (
                (world.inspector_id, world.a),
                (world.inspector_id, world.b),
                (other_id, world.a),
                (other_id, world.b),
                (stranger_id, world.a),
            )
        ]

    assert names == ["Nouveau nom", "Nom chez beta", "Autre nom", None, None]
