"""Compare the database's revision with the program's: pages and workers refuse to run on older tables.

Read without Alembic, to spare ten megabytes in the processes that only serve.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import column, inspect, select, table
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from cpro.config import PROJECT_ROOT
from cpro.extensions import db

#: Alembic's revision table.
TABLE = "alembic_version"
_NAMES = "[0-9][0-9][0-9][0-9]_*.py"


class OldDatabase(Exception):
    """The database must be migrated to this version first."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            f"La base de données est à la révision {found}, ce programme attend la {expected}\u202f: lancez "
            "«\u202fflask --app app db upgrade\u202f» après une sauvegarde, puis recommencez."
        )


@cache
def list_revisions() -> tuple[str, ...]:
    """Return the revisions that this program knows, its current one last."""
    return tuple(sorted(path.name[:4] for path in (PROJECT_ROOT / "migrations" / "versions").glob(_NAMES)))


def find_revision(connection: Connection) -> str:
    """Return the revision of a database, or "" when it was never migrated."""
    if not inspect(connection).has_table(TABLE):
        return ""
    return connection.scalar(select(column("version_num")).select_from(table(TABLE))) or ""


def check_revision(engine: Engine | None = None) -> None:
    """Raise `OldDatabase` if the database is at an earlier revision than this program.

    A newer one is served: during an update of several hosts, the previous program works on it. A database without
    tables, or that does not answer, is reported by /sante/pret.
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
