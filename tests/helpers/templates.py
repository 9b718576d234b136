"""Initial content of the test database, saved once and restored before each test."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine

from cpro.extensions import db
from tests.factories import World

_SCHEMA = "kept_by_the_tests"


class Templates(ABC):
    """The database empty, and with the two schools of `world`."""

    world: World

    @abstractmethod
    def keep(self, *, with_world: bool) -> None:
        """Save the current content of the database."""

    @abstractmethod
    def put_back(self, *, with_world: bool) -> None:
        """Restore the saved content of the database, whatever changed it."""


class TemplatesOnSqlite(Templates):
    """Copies of the database's file (SQLite)."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def _file(self, with_world: bool) -> Path:
        return self._database.with_name("world.sqlite3" if with_world else "empty.sqlite3")

    def keep(self, *, with_world: bool) -> None:
        """Copy the file, after a checkpoint of its write-ahead log."""
        engine = create_engine(f"sqlite:///{self._database}")
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        engine.dispose()
        shutil.copy(self._database, self._file(with_world))

    def put_back(self, *, with_world: bool) -> None:
        """Copy the file back, without the write-ahead log of the last test."""
        for suffix in ("-wal", "-shm"):
            self._database.with_name(f"{self._database.name}{suffix}").unlink(missing_ok=True)
        shutil.copy(self._file(with_world), self._database)


class TemplatesOnPostgresql(Templates):
    """Rows in a schema beside the tables: deleting and copying a few of them is faster than truncating tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._scripts: dict[bool, str] = {}

    def keep(self, *, with_world: bool) -> None:
        """Copy the rows, and write the script that restores them; without the schools, empty the tables first."""
        tables = [table.name for table in db.metadata.sorted_tables]
        with self._engine.begin() as connection:
            if not with_world:
                connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE; CREATE SCHEMA {_SCHEMA}")
                emptied = ", ".join(f'"{each}"' for each in tables)
                _without_triggers(connection, f"TRUNCATE {emptied} RESTART IDENTITY")
            script = [f'DELETE FROM "{each}"' for each in tables]
            for each in tables:
                if connection.scalar(text(f'SELECT EXISTS (SELECT FROM "{each}")')):
                    connection.execute(text(f'CREATE TABLE {_SCHEMA}."{each}" AS SELECT * FROM "{each}"'))
                    columns = _written_columns(each)
                    script.append(f'INSERT INTO "{each}" ({columns}) SELECT {columns} FROM {_SCHEMA}."{each}"')
            script += [_sequence_back(connection, each) for each in _sequences(connection)]
        self._scripts[with_world] = "; ".join(script)

    def put_back(self, *, with_world: bool) -> None:
        """Delete the rows of the last test and copy the saved ones."""
        with self._engine.begin() as connection:
            _without_triggers(connection, self._scripts[with_world])


def _written_columns(table: str) -> str:
    """Return the columns of a table, except the generated ones."""
    return ", ".join(f'"{each.name}"' for each in db.metadata.tables[table].columns if each.computed is None)


def _without_triggers(connection: Connection, script: str) -> None:
    """Run statements without foreign keys or triggers: the journal's triggers refuse to empty it."""
    connection.exec_driver_sql(
        f"SET session_replication_role = replica; {script}; SET session_replication_role = DEFAULT"
    )


def _sequences(connection: Connection) -> list[str]:
    return list(connection.scalars(text("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")))


def _sequence_back(connection: Connection, name: str) -> str:
    """Return the statement that restarts a sequence at its current value."""
    last, called = connection.execute(text(f'SELECT last_value, is_called FROM "{name}"')).one()
    return f"SELECT setval('\"{name}\"', {last}, {str(called).lower()})"
