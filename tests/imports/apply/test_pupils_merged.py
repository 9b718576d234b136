"""Pupils entered twice and merged: what a table deposited afterwards finds, and what undoing an import refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.transactions import unit_of_work
from cpro.establishments.models import Establishment
from cpro.imports.errors import UndoImpossible
from cpro.imports.models import ImportQuestion
from cpro.people.duplicates import merge
from cpro.students.models import Student
from tests.factories import NOW, TESTER, World, make_student
from tests.helpers.browser import Browser
from tests.helpers.deposits import analyse, apply
from tests.helpers.imports import Desk

Look = Callable[[], AbstractContextManager[Session]]
ALIX = ("Testeur", "Alix", "14/03/2010", "CAP1")


@pytest.fixture(autouse=True)
def without_siecle(desk: Desk, arrange: Look, world: World) -> Iterator[None]:
    """Let school A say that it does not use SIECLE."""
    with arrange() as session:
        session.get_one(Establishment, world.a.id).uses_siecle = False
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def admin(as_: Callable[..., Browser]) -> Browser:
    """Return the administrator's browser."""
    return as_("administrator")


def table(*rows: tuple[str, ...]) -> tuple[str, bytes]:
    """Return a table of pupils as CSV."""
    titles = ("Nom de famille", "Prénom", "Date de naissance", "Classe")
    return "eleves.csv", "\r\n".join(";".join(row) for row in (titles, *rows)).encode()


def merge_into_alix(app: Flask, world: World, arrange: Look) -> int:
    """Enter by hand the pupil whom a table brought, merge that row into the first, and return its id."""
    with arrange() as session:
        session.add(other := make_student(world.a.id, last_name="Testeur", first_name="Alix", ine=None))
        session.flush()
        kept = session.scalars(select(Student).where(Student.first_name == "Alix", Student.id != other.id)).one()
        other.birth_date = kept.birth_date
        kept_id, other_id = kept.id, other.id
    with app.app_context():
        tenancy.enter(tenancy.Scope(world.a.id))
        with unit_of_work():
            merge(kept_id, other_id, by=TESTER, now=NOW)
    return other_id


class TestMergedPupils:
    def test_merged_pupils_are_not_found_by_a_table_again(
        self, app: Flask, admin: Browser, world: World, arrange: Look, platform: Look
    ) -> None:
        apply(app, admin, analyse(admin, table(ALIX)))
        other_id = merge_into_alix(app, world, arrange)

        analyse(admin, table(ALIX))

        with platform() as session:
            asked = session.scalars(select(ImportQuestion)).all()
            assert other_id not in {candidate[0] for each in asked for candidate in each.candidates}

    def test_merged_pupils_keep_the_import_that_brought_one_from_being_undone(
        self, app: Flask, admin: Browser, world: World, arrange: Look, desk: Desk
    ) -> None:
        apply(app, admin, analyse(admin, table(ALIX)))
        merge_into_alix(app, world, arrange)

        with pytest.raises(UndoImpossible, match="doublon"):
            desk.undo()
