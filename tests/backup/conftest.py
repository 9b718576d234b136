"""Instances of their own: a database, a store and a key each, on SQLite or on PostgreSQL under two roles."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select, text

from cpro import create_app
from cpro.backup import archive
from cpro.core.server_key import claim_key
from cpro.core.storage import MARK
from cpro.core.transactions import platform_unit_of_work
from cpro.extensions import db
from cpro.students.credential_sheets.models import KeptSheets
from cpro.users.models import Account
from cpro.users.sign_in_models import SignIn
from tests.factories import NOW, PASSWORD, make_account
from tests.helpers.browser import Browser
from tests.helpers.platform import as_owner, empty_postgresql_schema

KEY = "one-test-key-of-no-value"
POSTGRESQL = os.environ.get("CPRO_TEST_DATABASE_URL", "")


@dataclass
class Instance:
    """A deployment: its application, its folder."""

    app: Flask
    folder: Path

    @property
    def uploads(self) -> Path:
        """Return its store."""
        return self.folder / "uploads"

    def run(self, *arguments: str, **options: Any) -> Result:
        """Run a command."""
        return self.app.test_cli_runner().invoke(args=list(arguments), **options)

    def migrate(self, revision: str = "head") -> None:
        """Migrate its database."""
        with self.app.app_context():
            upgrade(revision=revision)

    def rows(self) -> dict[str, list[Any]]:
        """Return every row of every table, the words of searches too: values as Python has them, JSON as it is kept."""
        on_postgresql = "postgresql" in self.app.config["SQLALCHEMY_DATABASE_URI"]
        with self.app.app_context(), db.engine.connect() as connection:
            if on_postgresql:
                connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            found = {
                table.name: sorted(map(repr, connection.execute(select(table)).all()))
                for table in db.metadata.sorted_tables
            }
            as_text = "changes::text" if on_postgresql else "changes"
            found["journal as it is kept"] = sorted(
                connection.scalars(text(f"SELECT {as_text} FROM audit_entry")).all()
            )
            return found

    def files(self) -> dict[str, bytes]:
        """Return every file of the store, its mark left out."""
        return {
            path.relative_to(self.uploads).as_posix(): path.read_bytes()
            for path in self.uploads.rglob("*")
            if path.is_file() and path.name != MARK
        }

    def is_empty(self) -> bool:
        """Return whether there is neither a row nor a file; of SQLite alone, whose database may not be there yet."""
        has_tables = (self.folder / "cpro.sqlite3").exists() and (self.folder / "cpro.sqlite3").stat().st_size > 0
        return self.files() == {} and not (has_tables and any(self.rows().values()))


Make = Callable[..., Instance]


@pytest.fixture
def instance(tmp_path: Path, database: str) -> Iterator[Make]:
    """Return a maker of instances: `instance("sqlite")`, `instance("postgresql", key="…")`; not migrated."""
    with ExitStack() as stack:

        def make(kind: str = "sqlite", *, key: str = KEY, **settings: Any) -> Instance:
            return _make(stack, tmp_path / f"instance-{len(list(tmp_path.iterdir()))}", kind, key, settings)

        yield make


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Instance]:
    """Return an instance on SQLite that is filled once: leave it as it is."""
    with ExitStack() as stack:
        made = _make(stack, tmp_path_factory.mktemp("source") / "instance", "sqlite", KEY, {})
        fill(made)
        with made.app.app_context():
            claim_key(now=NOW)
        yield made


@pytest.fixture(scope="module")
def backup_once(source: Instance, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "saved.cpro"
    done = source.run("backup", str(path))
    assert done.exit_code == 0, done.output
    return path.read_bytes()


@pytest.fixture
def saved(backup_once: bytes, tmp_path: Path) -> Path:
    """Return a backup of `source`, to do anything with."""
    path = tmp_path / "saved.cpro"
    path.write_bytes(backup_once)
    return path


def _make(stack: ExitStack, folder: Path, kind: str, key: str, settings: dict[str, Any]) -> Instance:
    (folder / "uploads").mkdir(parents=True)
    address, owner = f"sqlite:///{folder / 'cpro.sqlite3'}", ""
    if kind == "postgresql":
        address = stack.enter_context(empty_postgresql_schema(POSTGRESQL))
        owner = as_owner(address)
    fixed = {"CPRO_INSTANCE": folder, "CPRO_UPLOADS": folder / "uploads", "SECRET_KEY": key, "TESTING": True}
    addresses = {"SQLALCHEMY_DATABASE_URI": address, "CPRO_MIGRATION_DATABASE_URL": owner}
    app = create_app({**fixed, **addresses, "CPRO_DEMO_PASSWORD": PASSWORD, **settings})
    stack.callback(_dispose, app)
    return Instance(app, folder)


def _dispose(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()


def fill(made: Instance) -> Browser:
    """Migrate an instance, load the demonstration, bytes, files and an id given to a row that is gone.

    Return a browser signed in as an administrator.
    """
    made.migrate()
    loaded = made.run("demo", "load")
    assert loaded.exit_code == 0, loaded.output
    browser = Browser(made.app).mint_sign_in("lovelace", "administrateur")
    with made.app.app_context():
        with platform_unit_of_work("test") as work:
            sign_in = work.session.scalars(select(SignIn)).one()
            school_id = sign_in.establishment_id
            gone = make_account(school_id, first_name="Éloïse", last_name="Œuf-Ñandú")
            work.session.add(gone)
            work.session.flush()
            gone_id = gone.id
            work.session.add(
                KeptSheets(
                    establishment_id=school_id,
                    sign_in_id=sign_in.id,
                    sealed=bytes(range(256)),
                    file_format="pdf",
                    about="2nde",
                    sheets=1,
                    account_ids=[1, 2],
                    created_at=NOW,
                    expires_at=NOW,
                )
            )
        with platform_unit_of_work("test") as work:
            work.session.delete(work.session.get_one(Account, gone_id))
    path = made.uploads / "imports" / "1" / ("0" * 32) / "depot-001"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(70_000))
    return browser


def refuse(there: Instance, saved: Path, words: str, *options: str) -> None:
    """Restore, and expect one sentence, status 1 and an instance that is still empty."""
    done = there.run("restore", str(saved), *options)
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    sentence = done.stderr.strip().splitlines()[-1]
    assert words in sentence
    assert there.is_empty()


def rewrite(saved: Path, change: Callable[[str, bytes], bytes], *, keep_sums: bool = False) -> None:
    """Write a backup again with other contents, with their sums or with those that it had."""
    out = io.BytesIO()
    with saved.open("rb") as file, archive.writing(out) as writer:
        for member in archive.read(file):
            content = b"".join(member.chunks())
            changed = change(member.name, content)
            writer.add(member.name, changed)
            if keep_sums and changed != content:
                writer._sums.seek(0, os.SEEK_SET)
                writer._sums.write(b"x")  # no sum begins so
                writer._sums.seek(0, os.SEEK_END)
    saved.write_bytes(out.getvalue())


def without_notes(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return rows without the lines that say that a backup was made or restored, and the heads that count them."""
    notes = ("server:", '"sha256"', '"new_key"', "sauvegarde")
    return {
        name: [row for row in each if not any(note in row for note in notes)]
        for name, each in rows.items()
        if name != "audit_head"
    }
