"""What an import changes, typed in the code and kept as JSON: what is kept never moves, every version reads it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite

from cpro.imports.changes import DIVISIONS, FIELDS, SERVICES, ChangesType, Pair, backwards, creating, new_values
from cpro.imports.models import ImportChange
from cpro.students.models import MEF, Division, Student
from cpro.users.models import Account
from tests.helpers.imports import Desk

DIALECT = sqlite.dialect()
#: Fields that stand for something else than a column of their name.
NO_COLUMNS = {"division", "role", DIVISIONS, SERVICES}
#: As changes are kept: never edit a line, schools hold these texts.
KEPT = {
    "last_name": ["Mica", "Schiste"],
    "birth_date": [None, "2009-05-06"],
    "is_active": [True, False],
    "left_on": ["2026-07-04", None],
    "division": ["", "2MELEC"],
    "diploma_id": [None, 3],
    "divisions": [[], ["1CAP", "2CAP"]],
}
TYPED = {
    "last_name": Pair("Mica", "Schiste"),
    "birth_date": Pair(None, date(2009, 5, 6)),
    "is_active": Pair(True, False),
    "departed_on": Pair(date(2026, 7, 4), None),
    "division": Pair("", "2MELEC"),
    "diploma_id": Pair(None, 3),
    DIVISIONS: Pair([], ["1CAP", "2CAP"]),
}


class TestChangesType:
    def test_changes_are_kept_under_the_same_keys_for_ever(self) -> None:
        kept: Any = ChangesType().process_bind_param(TYPED, DIALECT)

        assert json.loads(json.dumps(kept)) == KEPT

    def test_changes_kept_are_read_with_their_types(self) -> None:
        assert ChangesType().process_result_value(KEPT, DIALECT) == TYPED

    def test_changes_kept_of_a_field_that_is_no_more_are_read(self) -> None:
        assert ChangesType().process_result_value({"nickname": ["a", "b"]}, DIALECT) == {"nickname": Pair("a", "b")}

    @pytest.mark.parametrize(
        "changes",
        [{"left_on": Pair(None, date(2026, 7, 4))}, {"birth_date": Pair(None, "2009-05-06")}, {"code": Pair(1, 2)}],
        ids=["by its key", "a day as a text", "another type"],
    )
    def test_changes_that_no_import_makes_are_refused(self, changes: dict[str, Pair]) -> None:
        with pytest.raises(TypeError, match="no import changes"):
            ChangesType().process_bind_param(changes, DIALECT)


class TestFields:
    @pytest.mark.parametrize("name", sorted(FIELDS.keys() - NO_COLUMNS))
    def test_field_is_an_attribute_of_that_type(self, name: str) -> None:
        columns = [
            model.__mapper__.columns[name]
            for model in (Student, Account, Division, MEF)
            if name in model.__mapper__.columns
        ]

        assert {column.type.python_type for column in columns} == {FIELDS[name].type}


def test_backwards_of_changes_gives_back_what_was_there() -> None:
    changes = creating({"last_name": "Mica", "ine": None, "usage_name": ""})

    assert changes == {"last_name": Pair(None, "Mica")}
    assert new_values(backwards(changes)) == {"last_name": None}


@pytest.mark.integration
def test_changes_of_a_departure_name_the_day_as_the_journal_does(app: Flask, desk: Desk) -> None:
    desk.import_files(desk.file_of({"id": "1"}, {"id": "2"}))
    run_id = desk.analyse(desk.file_of({"id": "1"}))

    with desk.look() as session:
        wanted = "SELECT changes FROM import_change WHERE run_id = :run_id"
        (raw,) = session.connection().execute(text(wanted), {"run_id": run_id}).scalars()
        (change,) = session.scalars(select(ImportChange).where(ImportChange.run_id == run_id))
    kept = json.loads(raw) if isinstance(raw, str) else raw
    assert kept == {"is_active": [True, False], "left_on": [None, change.changes["departed_on"].new.isoformat()]}
