"""Column types: members of enums kept as their values, an unknown one shown and not refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from cpro.core.transactions import platform_unit_of_work
from cpro.core.types import EnumValue, LabelledEnum
from cpro.imports.models import ImportRun, RunState
from tests.factories import World, make_import
from tests.helpers.browser import Browser
from tests.helpers.records import set_up

As = Callable[..., Browser]


class Colour(LabelledEnum):
    RED = "red", "rouge"
    PLAIN = "plain"


KEPT, DIALECT = EnumValue(Colour, 8), sqlite.dialect()


class TestLabelledEnum:
    def test_shows_its_label_and_is_found_by_its_value(self) -> None:
        assert (Colour.RED.value, Colour.RED.label, Colour("red")) == ("red", "rouge", Colour.RED)
        assert Colour.PLAIN.label == ""
        with pytest.raises(ValueError):
            Colour("blue")

    def test_stored_makes_a_member_of_its_own_of_an_unknown_value(self) -> None:
        blue = Colour.stored("blue")

        assert Colour.stored("red") is Colour.RED
        assert (blue.value, blue.label) == ("blue", "blue")
        assert blue not in list(Colour)
        assert {blue: 1}.get(Colour.RED) is None


class TestEnumValue:
    @pytest.mark.parametrize("member", [None, *Colour])
    def test_hands_back_what_it_was_given(self, member: Colour | None) -> None:
        kept = KEPT.process_bind_param(member, DIALECT)

        assert kept == (member and member.value)
        assert KEPT.process_result_value(kept, DIALECT) is member

    def test_takes_no_text(self) -> None:
        with pytest.raises(TypeError, match="'red' is no Colour"):
            KEPT.process_bind_param("red", DIALECT)  # type: ignore[arg-type]

    def test_keeps_an_unknown_value_as_it_is(self) -> None:
        blue = KEPT.process_result_value("blue", DIALECT)

        assert KEPT.process_bind_param(blue, DIALECT) == "blue"


def test_enum_column_keeps_the_value_and_refuses_a_text(app: Flask, world: World) -> None:
    set_up(app, lambda session: session.add(make_import(world.a.id, state=RunState.UNDONE)))

    with app.app_context(), platform_unit_of_work("test") as work:
        assert work.session.scalars(text("SELECT state_value FROM import_run")).all() == ["undone"]
        assert work.session.query(ImportRun).filter(ImportRun.state == RunState.UNDONE).one().state is RunState.UNDONE
        with pytest.raises(StatementError, match="'undone' is no RunState"):
            work.session.query(ImportRun).filter(ImportRun.state == "undone").all()


def test_list_shows_a_stored_value_that_no_member_has(app: Flask, world: World, as_: As) -> None:
    def arrange(session: Session) -> None:
        session.add(run := make_import(world.a.id))
        session.flush()
        session.execute(
            text("UPDATE import_run SET state_value = 'frozen', kind = 'wire' WHERE id = :id"), {"id": run.id}
        )

    set_up(app, arrange)

    page = as_("administrator").get("/admin/imports/historique/")

    assert page.status_code == 200
    assert "frozen" in page.text
    assert "wire" in page.text
