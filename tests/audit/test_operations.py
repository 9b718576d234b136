"""The journal: every write leaves one line inside its transaction; nobody changes a line, no school reads another's."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from cpro.audit.models import AuditEntry
from cpro.audit.operations import About, record
from cpro.audit.queries import find_last_change
from cpro.core import tenancy
from cpro.core.permissions import Actor
from cpro.core.tenancy import Scope
from cpro.core.transactions import unit_of_work
from cpro.establishments.operations.particulars import update_particulars
from cpro.extensions import db
from tests.factories import NOW, PASSWORD, TESTER, World
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.records import failing_journal, nothing_written, rows, watching
from tests.helpers.uploads import undo

INSTANT = datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
SETTINGS = "/admin/parametres"
As = Callable[..., Browser]
Post = Callable[[Browser], Any]


def _deposit(browser: Browser) -> Any:
    data = {"file": (io.BytesIO(pictures.png()), "logo.png")}
    return browser.post(f"{SETTINGS}/logo/televerser/logo", data, content_type="multipart/form-data")


def _delete(browser: Browser) -> Any:
    return browser.post(f"{SETTINGS}/logo/supprimer/logo")


def _masks(browser: Browser) -> Any:
    return browser.post(f"{SETTINGS}/masques?diplome=40025520", {"links": "Liens utiles", "equipment": "Outillage"})


#: what was done before, the request, its audited action, the object, the changed fields.
WRITES: dict[str, tuple[list[Post], Post, str, str, list[str]]] = {
    "particulars": (
        [],
        lambda browser: browser.post(
            f"{SETTINGS}/etablissement", {"city": "Metz", "email": "", "current_password": PASSWORD}
        ),
        "establishment:particulars:changed",
        "Lycée alpha",
        ["city", "email"],
    ),
    "transfers": (
        [],
        lambda browser: browser.post(f"{SETTINGS}/transferts", {"cnil_reference": "1679866", "uses_siecle": "non"}),
        "establishment:transfers:changed",
        "Lycée alpha",
        ["cnil_reference", "uses_siecle"],
    ),
    "masks": ([], _masks, "masks:changed", "Bac pro métiers de l’électricité", ["equipment", "links"]),
    "masks reset": (
        [_masks],
        lambda browser: browser.post(f"{SETTINGS}/masques/reinitialiser", {"diplome": "40025520"}),
        "masks:reset",
        "Bac pro métiers de l’électricité",
        ["equipment", "links"],
    ),
    "picture deposited": ([], _deposit, "picture:logo:deposited", "logo", ["version"]),
    "picture deleted": ([_deposit], _delete, "picture:logo:deleted", "logo", ["version"]),
    "picture undone": (
        [_deposit, _delete],
        undo,
        "picture:logo:undone",
        "logo",
        ["version"],
    ),
}


class TestRecord:
    @pytest.mark.parametrize("name", WRITES)
    def test_record_leaves_exactly_one_line_that_says_who_what_and_what_it_was(
        self, app: Flask, as_: As, world: World, name: str
    ) -> None:
        before, act, action, label, fields = WRITES[name]
        with time_machine.travel(INSTANT, tick=False):
            browser = as_("administrator")
            for earlier in before:
                earlier(browser)

            with watching(app) as watch:
                assert act(browser).status_code == 303

        line = watch.line
        assert (line["action"], line["object_label"], line["at"]) == (action, label, INSTANT)
        assert line["establishment_id"] == world.a.id
        assert (line["actor_kind"], line["actor_id"]) == ("account", world.a.account_ids["administrator"])
        assert (line["actor_label"], line["actor_role"]) == ("Alix GRANITE", "administrator")
        assert line["origin"] == "127.0.0.1"
        assert sorted(line["changes"]) == fields
        assert all(old != new for old, new in line["changes"].values())

    @pytest.mark.parametrize("name", WRITES)
    def test_record_does_not_happen_when_its_line_cannot_be_written(self, app: Flask, as_: As, name: str) -> None:
        before, act, *_ = WRITES[name]
        browser = as_("administrator")
        for earlier in before:
            earlier(browser)

        with nothing_written(app), failing_journal(), pytest.raises(RuntimeError, match="the journal"):
            act(browser)

    def test_record_takes_its_line_away_when_it_fails_after_it(self, app: Flask, world: World) -> None:
        def fail_late() -> None:
            with unit_of_work():
                update_particulars({"city": "Metz"}, opened_on=None, by=TESTER, now=NOW)
                raise RuntimeError("too late")

        with nothing_written(app), app.app_context(), pytest.raises(RuntimeError, match="too late"):
            tenancy.enter(Scope(world.a.id))
            fail_late()

    def test_record_names_the_role_of_the_actor(self, app: Flask, as_: As, world: World) -> None:
        browser = as_("head", "b")

        with watching(app) as watch:
            browser.post(f"{SETTINGS}/etablissement", {"city": "Metz"})

        line = watch.line
        assert (line["actor_label"], line["actor_role"]) == ("Claude BASALTE", "head")
        assert (line["establishment_id"], line["changes"]) == (world.b.id, {"city": ["", "Metz"]})


#: Statements on the table itself, by a person who holds a connection to the database.
STATEMENTS = [
    "UPDATE audit_entry SET actor_label = 'Personne'",
    "UPDATE audit_entry SET changes = '{}' WHERE id = (SELECT max(id) FROM audit_entry)",
    "DELETE FROM audit_entry",
    "DELETE FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry)",
]


class TestJournalAppendOnly:
    def see_everything(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_journal_the_database_refuses_to_change_or_delete_a_line(self, app: Flask, as_: As, statement: str) -> None:
        as_("administrator").post(f"{SETTINGS}/etablissement", {"city": "Metz"})

        with nothing_written(app), app.app_context(), pytest.raises(DBAPIError, match="append-only"):
            with db.engine.begin() as connection:
                self.see_everything(connection)
                connection.execute(text(statement))

    def test_journal_postgresql_refuses_to_empty_the_table(self, app: Flask, as_: As) -> None:
        as_("administrator").post(f"{SETTINGS}/etablissement", {"city": "Metz"})

        with app.app_context():
            if db.engine.dialect.name != "postgresql":
                pytest.skip("SQLite has no TRUNCATE")
            with nothing_written(app), pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
                connection.execute(text("TRUNCATE audit_entry"))

    def test_journal_nor_does_a_school_change_its_own_lines(self, app: Flask, as_: As, world: World) -> None:
        as_("administrator").post(f"{SETTINGS}/etablissement", {"city": "Metz"})

        with nothing_written(app), app.app_context(), pytest.raises(DBAPIError, match="append-only"):
            tenancy.enter(Scope(world.a.id))
            with unit_of_work():
                db.session.scalars(select(AuditEntry)).all()[-1].actor_label = "Personne"


class TestReadJournal:
    def test_journal_a_school_sees_its_own_lines_only(self, app: Flask, as_: As, world: World) -> None:
        as_("administrator").post(f"{SETTINGS}/etablissement", {"city": "Metz"})
        as_("administrator", "b").post(f"{SETTINGS}/etablissement", {"city": "Nancy"})

        with app.app_context():
            tenancy.enter(Scope(world.a.id))
            lines = db.session.scalars(select(AuditEntry)).all()
            other = find_last_change("establishment", world.b.id, "city")

        assert {line.establishment_id for line in lines} == {world.a.id}
        assert "Nancy" not in str([line.changes for line in lines])
        assert other is None

    def test_journal_no_school_sees_the_platforms_lines(self, app: Flask, as_: As, world: World) -> None:
        as_("support")
        assert None in {row["establishment_id"] for row in rows(app, AuditEntry)}

        with app.app_context():
            tenancy.enter(Scope(world.a.id))
            assert None not in set(db.session.scalars(select(AuditEntry.establishment_id)))

    def test_find_last_change_the_author_of_a_change_is_found_by_its_field(self, app: Flask, world: World) -> None:
        actor = Actor("system", None, "x" * 300, "system", "y" * 100)
        with app.app_context():
            tenancy.enter(Scope(world.a.id))
            with unit_of_work():
                for action, field in (("masks:changed", "links"), ("masks:reset", "links"), ("masks:changed", "other")):
                    about = About("masks", "C", "z" * 300)
                    record(action, about, by=actor, now=NOW, changes={field: ("", action)})

            found, unnamed = (find_last_change("masks", "C", field) for field in ("links", "equipment"))

            assert found is not None and unnamed is not None
            assert (found.action, unnamed.changes) == ("masks:reset", {"other": ["", "masks:changed"]})
            assert (found.actor_label, found.origin, found.object_label) == ("x" * 200, "y" * 64, "z" * 200)
