"""An id that the journal names is of one row for ever: a later row never shows the history of a deleted one."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from cpro.audit.labels import known_object_types
from cpro.core.staging import staging
from cpro.core.transactions import unit_of_work
from cpro.extensions import db
from cpro.students.models import Student
from tests.conftest import POSTGRESQL_URL
from tests.factories import World
from tests.helpers.office import Office
from tests.helpers.records import rows, set_up

#: What the journal calls the rows of which table, where that is another name.
TABLES = {
    "transfer": "transfer_side",
    "transfers": "establishment",
    "pupil_records": "student",
    "passport": "student",
}
#: What it names by no id, and its own lines, which are never deleted.
OTHERS = {
    "accounts",
    "audit_entry",
    "list",
    "masks",
    "import_deposit",
    "new-year",
    "page",
    "picture",
    "problem",
    "server",
    "settings",
    "shown_error",
    "support_state",
}


@pytest.mark.integration
def test_every_table_whose_id_the_journal_names_gives_it_once(app: Flask) -> None:
    named = {TABLES.get(name, name) for name, _label in known_object_types() if name not in OTHERS}
    tables = db.metadata.tables

    assert named <= set(tables)
    assert [name for name in sorted(named) if not tables[name].dialect_options["sqlite"]["autoincrement"]] == []
    if not POSTGRESQL_URL:  # a migration that makes a table again on SQLite loses it, unless told
        with app.app_context(), db.engine.connect() as connection:
            made = {row.name: row.sql for row in connection.execute(text("SELECT name, sql FROM sqlite_master"))}
        assert [name for name in sorted(named) if "AUTOINCREMENT" not in made[name]] == []


def test_id_of_a_deleted_row_is_not_given_again(app: Flask, world: World) -> None:
    before = max(each["id"] for each in rows(app, Student))
    set_up(app, lambda session: session.delete(session.get_one(Student, before)))

    with Office(app, world).session(), staging(db.session()) as staged:
        [number] = staged.reserve_ids(Student, 1)
        staged.keep()
        with unit_of_work():
            assert number + staged.base(Student) > before
