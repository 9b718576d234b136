"""Rows prepared aside reach the rows of their own school only: these statements go past the tenancy filter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import Integer, Table, literal, select

from cpro.core.staging import Staging, staging
from cpro.core.transactions import unit_of_work
from cpro.extensions import db
from cpro.students.models import Division, Student
from tests.factories import World
from tests.helpers.office import Office
from tests.helpers.records import rows, set_up


@contextmanager
def ids_staged(app: Flask, world: World) -> Iterator[tuple[Staging, Table]]:
    """Yield, in a unit of work of school A, a temporary table that holds the ids of a division of each school."""
    with Office(app, world).session(), staging(db.session()) as staged:
        table = staged.table("ids", id=Integer())
        staged.fill(table, [{"id": school.division_id} for school in (world.a, world.b)])
        staged.keep()
        with unit_of_work():
            yield staged, table


def divisions(app: Flask) -> dict[int, str]:
    return {division["id"]: division["label"] for division in rows(app, Division)}


def test_staging_update_leaves_the_rows_of_another_school(app: Flask, world: World) -> None:
    with ids_staged(app, world) as (staged, table):
        on = Division.__table__.c.id.in_(select(table.c.id))
        assert staged.update(Division, on, {"label": "Corrigée"}) == 1

    assert divisions(app) == {world.a.division_id: "Corrigée", world.b.division_id: "Seconde"}


def test_staging_update_leaves_a_row_that_somebody_else_changed(app: Flask, world: World) -> None:
    with ids_staged(app, world) as (staged, table):
        on = Division.__table__.c.id.in_(select(table.c.id))
        assert staged.update(Division, on, {"label": "Corrigée"}, same={"label": "Première"}) == 0

    assert divisions(app)[world.a.division_id] == "Seconde"


def test_staging_delete_leaves_the_rows_of_another_school(app: Flask, world: World) -> None:
    set_up(app, lambda session: [session.delete(each) for each in session.scalars(select(Student))])

    with ids_staged(app, world) as (staged, table):
        assert staged.delete(Division, table) == 1

    assert divisions(app) == {world.b.division_id: "Seconde"}


def test_staging_id_of_code_is_the_one_of_the_school(app: Flask, world: World) -> None:
    with ids_staged(app, world) as (staged, _table):
        for school, found in ((world.a, world.a.division_id), (world.b, None)):
            code = literal(f"2{school.code[:3].upper()}")
            assert staged._send(select(staged.id_of_code(Division, code))).scalar() == found
