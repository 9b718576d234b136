"""An empty database, separate from the one the tests share: the starting point of migrations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.conftest import ADMIN_URL, POSTGRESQL_URL


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """Yield the address of an empty database, dropped afterwards."""
    if not POSTGRESQL_URL:
        yield f"sqlite:///{folder / 'cpro.sqlite3'}"
        return
    name = f"cpro_migrations_{folder.parent.name.replace('-', '_')}"
    admin = create_engine(ADMIN_URL, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name} OWNER cpro"))
    yield POSTGRESQL_URL.rsplit("/", 1)[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
