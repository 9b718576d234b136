"""The school of the current scope: read once a transaction, again after each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.tenancy import Scope, TenancyError
from cpro.core.transactions import unit_of_work
from cpro.establishments.models import Establishment
from cpro.establishments.queries import attach_current_establishment, get_current_establishment
from cpro.extensions import db
from tests.factories import World
from tests.helpers.statements import statements_sent

Look = Callable[[], AbstractContextManager[Session]]


def reads_of_the_school(sent: list[str]) -> int:
    return sum("FROM establishment" in statement for statement in sent)


class TestCurrentEstablishment:
    def test_current_establishment_is_read_once_a_transaction(self, app: Flask, world: World) -> None:
        with app.app_context(), statements_sent(app) as sent:
            tenancy.enter(Scope(world.a.id))
            names = {get_current_establishment().name for _ in range(6)}

        assert names == {world.a.name}
        assert reads_of_the_school(sent) == 1

    def test_current_establishment_is_read_again_after_a_commit_or_a_rollback(
        self, app: Flask, world: World, arrange: Look
    ) -> None:
        with app.app_context():
            tenancy.enter(Scope(world.a.id))
            get_current_establishment()
            with arrange() as session:
                session.get_one(Establishment, world.a.id).name = "Nommé ailleurs"
            db.session.rollback()
            assert get_current_establishment().name == "Nommé ailleurs"

            with unit_of_work():
                get_current_establishment().name = "Nommé ici"
            assert get_current_establishment().name == "Nommé ici"


class TestHoldCurrent:
    def test_attach_current_establishment_spares_a_read_until_the_transaction_ends(
        self, app: Flask, world: World, platform: Look, arrange: Look
    ) -> None:
        with platform() as session:
            school = session.get_one(Establishment, world.a.id)
        with app.app_context(), statements_sent(app) as sent:
            tenancy.enter(Scope(world.a.id))
            attach_current_establishment(school)
            assert get_current_establishment().name == world.a.name
            assert reads_of_the_school(sent) == 0

            with arrange() as session:
                session.get_one(Establishment, world.a.id).name = "Nommé ailleurs"
            with unit_of_work():
                assert get_current_establishment().name == "Nommé ailleurs"

    def test_attach_current_establishment_refuses_another(self, app: Flask, world: World, platform: Look) -> None:
        with platform() as session:
            other = session.get_one(Establishment, world.b.id)
        with app.app_context():
            tenancy.enter(Scope(world.a.id))
            with pytest.raises(TenancyError):
                attach_current_establishment(other)
            assert get_current_establishment().name == world.a.name
