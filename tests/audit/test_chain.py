"""The chain of the journal: whatever is altered past CPro is found, with the first broken line and exit status 1."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from cpro.audit import chain
from cpro.audit.models import AuditEntry, AuditHead
from cpro.audit.operations import About, record
from cpro.core import tenancy
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.extensions import db
from tests.factories import NOW, TESTER, World
from tests.helpers.records import rows

Tamper = Callable[[Connection], Any]

#: Every column but the two that a copy of a line cannot share with it.
COPIED = ", ".join(name for name in AuditEntry.__table__.columns.keys() if name not in ("id", "number"))

#: What somebody does on the database itself, and what `audit verify` answers.
TAMPERINGS: dict[str, tuple[str, str]] = {
    "a line changed": (
        "UPDATE audit_entry SET actor_label = 'Quelqu’un d’autre' WHERE id = 2",
        "Ligne 2 (établissement n° 1)",
    ),
    "a change rewritten": ("UPDATE audit_entry SET changes = '{}' WHERE id = 2", "Ligne 2 (établissement n° 1)"),
    "a line deleted": ("DELETE FROM audit_entry WHERE id = 2", "Ligne 3 (établissement n° 1) : 1 ligne manque"),
    "the last line deleted": ("DELETE FROM audit_entry WHERE id = 3", "lignes écrites : 3 ; lignes trouvées : 2"),
    "a whole school deleted": (
        "DELETE FROM audit_entry WHERE establishment_id = 1",
        "lignes écrites : 3 ; lignes trouvées : 0",
    ),
    "a line moved to another school": (
        "UPDATE audit_entry SET establishment_id = 2 WHERE id = 3",
        "Ligne 3 (établissement n° 2)",
    ),
    "a line added": (
        f"INSERT INTO audit_entry ({COPIED}, number) SELECT {COPIED}, 4 FROM audit_entry WHERE id = 3",
        "son contenu n’est plus celui qui a été écrit",
    ),
}


@pytest.fixture
def journal(app: Flask, world: World) -> Flask:
    """Return the application with three lines in school A, one in B, one of the platform."""
    with app.app_context():
        for school in (world.a.id, world.a.id, world.a.id, world.b.id, None):
            write(school)
    return app


def write(school_id: int | None, **changes: tuple[Any, Any]) -> None:
    with platform_unit_of_work("test") as work:
        record(
            "establishment:particulars:changed",
            About("establishment", school_id or 0, "Lycée d’essai"),
            by=TESTER,
            now=NOW,
            changes=changes or {"city": ("Metz", "Nancy"), "is_active": (True, None)},
            establishment_id=school_id,
            session=work.session,
        )


def tamper(app: Flask, statement: str) -> None:
    """Run a statement past the triggers, as the database's owner could."""
    with app.app_context(), db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
            connection.execute(text(statement))
            connection.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
            return
        triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        for name, _sql in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(statement))
        for _name, sql in triggers:
            connection.exec_driver_sql(sql)


def verify(app: Flask) -> Any:
    return app.test_cli_runner().invoke(args=["audit", "verify"])


def heads_of(app: Flask) -> dict[int | None, int]:
    with app.app_context(), tenancy.platform_session("test") as session:
        return {head.establishment_id: head.lines for head in session.scalars(select(AuditHead))}


class TestVerifyCommand:
    @pytest.mark.parametrize("case", TAMPERINGS)
    def test_verify_finds_what_was_altered(self, journal: Flask, case: str) -> None:
        statement, sentence = TAMPERINGS[case]
        tamper(journal, statement)

        outcome = verify(journal)

        assert outcome.exit_code == 1
        assert sentence in outcome.stderr.replace("\u202f", " ")
        assert "Le journal n’est pas intact." in outcome.stderr

    def test_verify_finds_that_the_database_refuses_no_more(self, journal: Flask) -> None:
        with journal.app_context(), db.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                pytest.skip("dropping a trigger of PostgreSQL would outlive the test")
            connection.execute(text("DROP TRIGGER audit_entry_no_update"))

        outcome = verify(journal)

        assert outcome.exit_code == 1
        assert "a laissé modifier une ligne" in outcome.stderr

    def test_verify_keeps_nothing_of_its_attempts(self, journal: Flask) -> None:
        before = rows(journal, AuditEntry)

        verify(journal)

        assert rows(journal, AuditEntry) == before

    def test_verify_says_that_an_intact_journal_is(self, journal: Flask) -> None:
        outcome = verify(journal)

        assert outcome.exit_code == 0, outcome.stderr
        assert "Journal intact : 5 lignes vérifiées." in outcome.stdout

    def test_verify_says_so_of_an_empty_one(self, app: Flask) -> None:
        assert verify(app).exit_code == 0


class TestKeys:
    """What somebody who holds the database, and knows this code, cannot forge without the server's key."""

    def test_verify_finds_a_chain_written_anew_without_the_key(self, journal: Flask, world: World) -> None:
        _write_anew(journal, world.a.id)

        outcome = verify(journal)

        assert outcome.exit_code == 1
        assert "Ligne 2 (établissement n° 1)" in outcome.stderr, "the first keyed line before it tells"

    def test_verify_takes_lines_of_before_the_key_and_no_other_after(self, journal: Flask, world: World) -> None:
        _write_anew(journal, world.a.id, first=1)
        assert verify(journal).exit_code == 0

        with journal.app_context():
            write(world.a.id)
        assert verify(journal).exit_code == 0

    def test_verify_knows_the_lines_of_a_former_key(self, journal: Flask, world: World) -> None:
        server_key = journal.config["SECRET_KEY"]
        try:
            journal.config["CPRO_JOURNAL_KEY"] = ["a key of its own"]
            with journal.app_context():
                write(world.a.id)
            assert verify(journal).exit_code == 0

            journal.config["SECRET_KEY"] = "another"
            assert verify(journal).exit_code == 1, "the first lines are under the former server's key"

            journal.config["CPRO_JOURNAL_KEY"] = ["a key of its own", server_key]
            assert verify(journal).exit_code == 0
        finally:
            journal.config["SECRET_KEY"], journal.config["CPRO_JOURNAL_KEY"] = server_key, []


def _write_anew(app: Flask, school_id: int, *, first: int = 2) -> None:
    """Compute a school's chain again from its line `first` on, as before there was a key, and set its head."""
    with app.app_context(), tenancy.platform_session("test") as session:
        wanted = select(AuditEntry).where(AuditEntry.establishment_id == school_id).order_by(AuditEntry.number)
        lines, digest = session.scalars(wanted).all(), ""
        statements = []
        for line in lines:
            if line.number >= first:
                digest = hashlib.sha256(chain._written_out(line, after=digest)).hexdigest()
                statements.append(f"UPDATE audit_entry SET digest = '{digest}' WHERE id = {line.id}")
            digest = digest if line.number >= first else line.digest
    statements.append(f"UPDATE audit_head SET digest = '{digest}' WHERE establishment_id = {school_id}")
    for statement in statements:
        tamper(app, statement)


class TestAppend:
    def test_append_each_school_and_the_platform_have_their_own(self, journal: Flask, world: World) -> None:
        ranks = [(row["establishment_id"], row["number"]) for row in rows(journal, AuditEntry)]
        heads = heads_of(journal)

        assert ranks == [(world.a.id, 1), (world.a.id, 2), (world.a.id, 3), (world.b.id, 1), (None, 1)]
        assert heads == {world.a.id: 3, world.b.id: 1, None: 1}

    def test_append_an_action_rolled_back_leaves_no_gap(self, journal: Flask, world: World) -> None:
        with journal.app_context(), pytest.raises(ZeroDivisionError), platform_unit_of_work("test") as work:
            record(
                "test:undone",
                About("test", 1, ""),
                by=TESTER,
                now=NOW,
                establishment_id=world.a.id,
                session=work.session,
            )
            raise ZeroDivisionError
        with journal.app_context():
            write(world.a.id)

        assert [row["number"] for row in rows(journal, AuditEntry) if row["establishment_id"] == world.a.id][-1] == 4
        assert verify(journal).exit_code == 0

    def test_append_two_lines_of_one_action_follow_each_other(self, app: Flask, world: World) -> None:
        with app.app_context(), unit_of_work(_session_of(world.a.id)) as work:
            for number in (1, 2):
                record("test:line", About("test", number, ""), by=TESTER, now=NOW, session=work.session)

        assert [row["number"] for row in rows(app, AuditEntry)] == [1, 2]
        assert verify(app).exit_code == 0

    def test_append_people_writing_at_the_same_time_keep_one_chain_each(self, app: Flask, world: World) -> None:
        failures: list[BaseException] = []

        def actions(school_id: int | None) -> None:
            try:
                with app.app_context():
                    for _ in range(8):
                        write(school_id)
            except BaseException as error:
                failures.append(error)

        threads = [
            threading.Thread(target=actions, args=(school,))
            for school in (world.a.id, world.a.id, world.b.id, None, None)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert heads_of(app) == {
            world.a.id: 16,
            world.b.id: 8,
            None: 16,
        }
        assert verify(app).exit_code == 0

    def test_append_a_school_never_reads_another_ones_head(self, journal: Flask, world: World) -> None:
        with journal.app_context():
            heads = _session_of(world.a.id).scalars(select(AuditHead.establishment_id)).all()

        assert heads == [world.a.id]


def _session_of(school_id: int) -> Any:
    tenancy.enter(tenancy.Scope(school_id))
    return db.session()
