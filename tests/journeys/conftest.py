"""Each journey has a platform of its own, on the database the suite runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.platform import empty_postgresql_schema
from tests.journeys.live import Live, live

PASSWORD = "Quartz-et-feldspath-7"


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """Yield the address of a database without a table: a file, or a schema of the PostgreSQL under test."""
    address = os.environ.get("CPRO_TEST_DATABASE_URL", "")
    if not address:
        (folder / "instance").mkdir(parents=True, exist_ok=True)
        yield f"sqlite:///{folder / 'instance' / 'cpro.sqlite3'}"
        return
    with empty_postgresql_schema(address) as schema:
        yield schema


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Live]:
    """Yield an empty platform that runs: web and worker."""
    with empty_database(tmp_path) as address, live(tmp_path, address) as running:
        yield running
