"""What schools filled with an earlier release is still there, and works, once this version has migrated it.

`tests/releases/` holds, for each database, all that a platform of that release had: two schools, an import of SIECLE,
a transfer that is done, a mandate, pupils' records. Its people sign in with `PASSWORD`, its server's key is `KEY`.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, MetaData, create_engine, func, make_url, select, text

from cpro import create_app
from cpro.config import PROJECT_ROOT
from cpro.core.upgrade_steps import STEPS
from cpro.extensions import db
from tests.helpers.browser import Browser
from tests.helpers.empty_databases import empty_database

RELEASES = Path(__file__).parent / "releases"
#: Version, and the revision of its database.
RELEASE, REVISION = "0.2.0", "0014"
KEY, PASSWORD = "test-secret-key-of-no-value", "Demonstration-2026!"
MIGRATIONS = PROJECT_ROOT / "migrations/versions"
LANDED = RELEASES / "landed-migrations.sha256"


def restore(address: str) -> None:
    """Fill an empty database with what the release had."""
    on_sqlite = address.startswith("sqlite")
    dump = gzip.decompress((RELEASES / f"{RELEASE}.{'sqlite' if on_sqlite else 'postgresql'}.sql.gz").read_bytes())
    if on_sqlite:
        connection = sqlite3.connect(make_url(address).database or "")
        connection.executescript(dump.decode())
        connection.close()
        return
    plain = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as server:
        server.execute(dump)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a database as the release left it."""
    with empty_database(tmp_path) as address:
        restore(address)
        yield address


@pytest.fixture
def old(address: str, tmp_path: Path) -> Iterator[Flask]:
    """Yield this version's application, its database not migrated yet."""
    app = create_app(
        {"CPRO_INSTANCE": tmp_path, "SQLALCHEMY_DATABASE_URI": address, "SECRET_KEY": KEY, "TESTING": True}
    )
    yield app
    with app.app_context():
        db.engine.dispose()


def migrate(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["db", *arguments])


def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
    tables = MetaData()
    tables.reflect(connection)
    return {
        name: connection.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.tables.items()
    }


def counted(app: Flask) -> dict[str, int]:
    with app.app_context(), db.engine.connect() as connection:
        return counts(connection)


@pytest.mark.slow
class TestRelease:
    def test_release_is_migrated_with_every_row_and_back_again(self, old: Flask) -> None:
        before = counted(old)

        with old.app_context():
            upgrade()
        after = counted(old)
        with old.app_context():
            downgrade(revision=REVISION)

        assert before["student"] > 100 and before["transfer"] == before["mandate"] == 1
        assert {name: after[name] for name in before} == before
        assert counted(old) == before

    def test_release_serves_its_people_once_migrated(self, old: Flask) -> None:
        with old.app_context():
            upgrade()

        administrator, head = Browser(old), Browser(old)
        administrator.sign_in("lovelace", "administrateur", PASSWORD)
        head.sign_in("lovelace", "chef", PASSWORD)

        assert "AGATE" in administrator.get("/admin/eleves/?search=agate").text.upper()
        for path in (
            "",
            "utilisateurs/",
            "journal/",
            "imports/historique/",
            "parametres/transferts/effectues",
            "masques/",
        ):
            assert administrator.get(f"/admin/{path}").status_code == 200, path
        assert "Claire Inspecteur" in head.get("/admin/parametres/inspecteurs").text
        assert command(old, "audit", "verify").exit_code == 0

    def test_upgrade_says_each_step_and_where_the_database_is(self, old: Flask) -> None:
        first, second = migrate(old, "upgrade"), migrate(old, "upgrade")

        assert first.exit_code == second.exit_code == 0, first.output
        assert "Migration 0015\u202f: un élève saisi deux fois est réuni en une seule ligne.\n" in first.stdout
        assert "Migration 0014" not in first.stdout
        assert re.fullmatch(r"La base est à la révision 00\d\d\.\n", second.stdout)

    def test_downgrade_refuses_to_lose_what_was_written_since_unless_told(self, old: Flask) -> None:
        with old.app_context():
            upgrade()
            with db.engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
                connection.execute(text("UPDATE account SET second_factor_since = CURRENT_TIMESTAMP WHERE id = 1"))
        at_head = counted(old)

        refused = migrate(old, "downgrade", REVISION)
        assert refused.exit_code == 1
        assert "account.second_factor_since" in refused.output
        assert "-x pertes=oui" in refused.output
        assert counted(old) == at_head

        accepted = migrate(old, "downgrade", "-x", "pertes=oui", REVISION)
        assert accepted.exit_code == 0, accepted.output
        assert f"La base est à la révision {REVISION}." in accepted.stdout

    def test_downgrade_asks_nothing_where_nothing_was_written_since(self, old: Flask) -> None:
        with old.app_context():
            upgrade()

        assert migrate(old, "downgrade", REVISION).exit_code == 0

    def test_upgrade_says_that_a_table_is_busy_and_changes_nothing(
        self, old: Flask, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = counted(old)
        monkeypatch.setattr("cpro.core.upgrades.LOCK_WAIT", 1)
        monkeypatch.setattr("cpro.core.locks.PATIENT_WAIT", 0.5)
        other = create_engine(address)
        with other.connect() as connection:
            lock = "BEGIN IMMEDIATE" if address.startswith("sqlite") else "LOCK TABLE student IN ROW EXCLUSIVE MODE"
            connection.exec_driver_sql(lock)
            answer = migrate(old, "upgrade")
            connection.rollback()
        other.dispose()

        assert answer.exit_code == 1, answer.output
        assert "rien n’a été changé" in answer.output
        assert counted(old) == before


def command(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


class TestLandedMigrations:
    """`tests/releases/landed-migrations.sha256`: `sha256sum 0*.py`, a line added with each migration that lands."""

    def test_landed_migration_is_never_edited(self) -> None:
        landed = dict(reversed(line.split()) for line in LANDED.read_text(encoding="utf-8").splitlines())
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in MIGRATIONS.glob("0*.py")}

        assert found == landed

    def test_each_migration_has_a_sentence_in_french(self) -> None:
        assert sorted(STEPS) == sorted(path.name[:4] for path in MIGRATIONS.glob("0*.py"))
        assert not [each for each in STEPS.values() if not each or each.endswith(".") or each[0].isupper()]

    @pytest.mark.integration
    def test_migration_leaves_what_the_version_before_it_reads(self) -> None:
        """A version serves while the next one migrates: tables and columns are dropped, or renamed, one release later.

        Such a migration says so in its docstring: « Contract: … has not been read since <version>. »
        """
        destructive = {"drop_table", "drop_column", "rename_table"}
        found = []
        for path in sorted(MIGRATIONS.glob("0*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if path.name[:4] <= "0025" or "Contract:" in (ast.get_docstring(tree) or ""):
                continue
            (up,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
            calls = {
                call.func.attr for call in ast.walk(up) if isinstance(call, ast.Call) and hasattr(call.func, "attr")
            }
            found += [f"{path.name}: {name}" for name in sorted(calls & destructive)]
        assert found == []
