"""At which revision a database is, and which this program knows: pages and workers do not work on tables of before.

Read without Alembic, ten megabytes that the processes which only serve do without.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import column, inspect, select, table
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from cpro.config import PROJECT_ROOT
from cpro.extensions import db

#: Where Alembic notes the revision.
TABLE = "alembic_version"
_NAMES = "[0-9][0-9][0-9][0-9]_*.py"


class OldDatabase(Exception):
    """Say that the database must be brought to this version first."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            f"La base de données est à la révision {found}, ce programme attend la {expected}\u202f: lancez "
            "«\u202fflask --app app db upgrade\u202f» après une sauvegarde, puis recommencez."
        )


@cache
def list_revisions() -> tuple[str, ...]:
    """Return the revisions that this program knows, the one it works at last."""
    return tuple(sorted(path.name[:4] for path in (PROJECT_ROOT / "migrations" / "versions").glob(_NAMES)))


def find_revision(connection: Connection) -> str:
    """Return the revision of a database, "" where it was never migrated."""
    if not inspect(connection).has_table(TABLE):
        return ""
    return connection.scalar(select(column("version_num")).select_from(table(TABLE))) or ""


def check_revision(engine: Engine | None = None) -> None:
    """Return unless the database is at an earlier revision than this program. Raises `OldDatabase`.

    A newer one is served: during an update of several hosts, the program of before works on it. One without tables, or
    that does not answer, is what /sante/pret tells of.
    """
    engine = engine or db.engine
    try:
        with engine.connect() as connection:
            found = find_revision(connection)
    except OperationalError:
        return
    engine.dispose()  # a server that forks after this must not share the connection
    if found in list_revisions()[:-1]:
        raise OldDatabase(found, list_revisions()[-1])
