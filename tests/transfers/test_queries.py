"""The pupils ticked in a list, kept beside what a later search shows: of the school, present or departed as asked."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import Session

from cpro.transfers.queries import list_chosen
from tests.factories import World, make_student
from tests.helpers.office import Office
from tests.helpers.records import set_up


def test_list_chosen_keeps_to_the_ids_and_to_those_present_or_departed(app: Flask, world: World) -> None:
    made: dict[str, int] = {}

    def change(session: Session) -> None:
        for name, school, is_active in (
            ("ZINC", world.a, True),
            ("ARGENT", world.a, True),
            ("BORE", world.a, False),
            ("CARBONE", world.a, True),
            ("DUBNIUM", world.b, True),
        ):
            session.add(student := make_student(school.id, last_name=name, is_active=is_active))
            session.flush()
            made[name] = student.id

    set_up(app, change)
    ids = [made[name] for name in ("ZINC", "ARGENT", "BORE", "DUBNIUM")]

    with Office(app, world).session():
        assert [each.last_name for each in list_chosen(ids, present=True)] == ["ARGENT", "ZINC"]
        assert [each.last_name for each in list_chosen(ids, present=False)] == ["BORE"]
