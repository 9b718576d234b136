"""`flask db …` as somebody types it, up and down, in a process of its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.helpers.platform import as_owner, empty_postgresql_schema, flask

pytestmark = pytest.mark.slow


class TestMigrationsByHand:
    def test_migrations_by_hand_go_up_down_and_up_again(self, tmp_path: Path) -> None:
        for command in (("upgrade",), ("check",), ("downgrade", "base"), ("upgrade",), ("check",)):
            done = flask("db", *command, folder=tmp_path)
            assert done.returncode == 0, f"flask db {' '.join(command)}\n{done.stdout}{done.stderr}"

    def test_migrations_by_hand_downgraded_to_the_base_nothing_is_left(self, tmp_path: Path) -> None:
        flask("db", "upgrade", folder=tmp_path)
        flask("db", "downgrade", "base", folder=tmp_path)

        with sqlite3.connect(tmp_path / "instance" / "cpro.sqlite3") as database:
            left = database.execute("SELECT name FROM sqlite_master WHERE name <> 'alembic_version'").fetchall()
        assert [name for (name,) in left if not name.startswith("sqlite_")] == []

    @pytest.mark.postgresql
    def test_migrations_by_hand_the_same_on_postgresql(self, tmp_path: Path, database: str) -> None:
        with empty_postgresql_schema(database) as address:
            for command in (("upgrade",), ("check",), ("downgrade", "base"), ("upgrade",), ("check",)):
                roles = {"CPRO_DATABASE_URL": address, "CPRO_MIGRATION_DATABASE_URL": as_owner(address)}
                done = flask("db", *command, folder=tmp_path, **roles)
                assert done.returncode == 0, f"flask db {' '.join(command)}\n{done.stdout}{done.stderr}"
