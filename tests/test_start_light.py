"""What a process holds once the application is built: nothing that few pages or commands need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.platform import run

pytestmark = pytest.mark.slow

#: Libraries imported by whoever prints, reads a file, writes a spreadsheet, migrates or wakes a worker. Pillow is not
#: among them: Flask-Admin imports it.
ON_DEMAND = ("typst", "lxml", "alembic", "huey", "xlsxwriter", "segno", "ftfy", "prometheus_client")
_START = f"""
import sys
from cpro import create_app
create_app()
print(*(each for each in {ON_DEMAND!r} if each in sys.modules))
"""


class TestStart:
    def test_start_spares_what_it_built_the_collector(self, tmp_path: Path) -> None:
        started = run(["-c", "import app, gc; print(gc.get_freeze_count())"], tmp_path, FLASK_RUN_FROM_CLI="true")

        assert started.returncode == 0, started.stderr
        assert int(started.stdout) > 100_000

    def test_start_imports_nothing_that_few_need(self, tmp_path: Path) -> None:
        started = run(["-c", _START], tmp_path)

        assert started.returncode == 0, started.stderr
        assert started.stdout.split() == []

    def test_start_leaves_the_commands_of_migrations(self, tmp_path: Path) -> None:
        told = run(["-m", "cpro", "db", "--help"], tmp_path)

        assert told.returncode == 0, told.stderr
        assert {"upgrade", "downgrade", "current"} <= set(told.stdout.split())
