"""A database of an earlier revision: pages and worker refuse it in one sentence; a newer one is served."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from cpro.config import PROJECT_ROOT
from cpro.core.database_revision import OldDatabase, check_revision, list_revisions
from tests.helpers.platform import flask, run

SCRIPTS = ScriptDirectory(str(PROJECT_ROOT / "migrations"))
HEAD = SCRIPTS.get_current_head()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "instance"
    folder.mkdir()
    return folder / "cpro.sqlite3"


def write(database: Path, revision: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    connection.close()


class TestListRevisions:
    def test_list_revisions_are_those_of_alembic_in_its_order(self) -> None:
        assert list_revisions() == tuple(each.revision for each in SCRIPTS.walk_revisions())[::-1]


@pytest.mark.integration
@pytest.mark.any_database
class TestCheckRevision:
    @pytest.mark.parametrize("revision", [HEAD, "9999"])
    def test_check_revision_this_one_and_a_newer_one_are_served(self, database: Path, revision: str) -> None:
        write(database, revision)

        check_revision(create_engine(f"sqlite:///{database}"))

    def test_check_revision_no_tables_are_for_the_health_page_to_tell(self, database: Path) -> None:
        check_revision(create_engine(f"sqlite:///{database}"))

    def test_check_revision_an_older_one_is_refused_with_what_to_do(self, database: Path) -> None:
        write(database, "0025")

        with pytest.raises(OldDatabase, match=f"révision 0025, ce programme attend la {HEAD}.*db upgrade"):
            check_revision(create_engine(f"sqlite:///{database}"))

    @pytest.mark.slow
    def test_check_revision_pages_and_worker_refuse_in_one_sentence(self, database: Path, tmp_path: Path) -> None:
        write(database, "0025")

        for told in (run(["-c", "import app"], tmp_path), flask("worker", folder=tmp_path)):
            assert told.returncode == 1
            assert "à la révision 0025" in told.stderr
            assert "Traceback" not in told.stderr and len(told.stderr.splitlines()) == 1
