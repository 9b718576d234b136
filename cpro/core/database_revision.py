"""Whether a database is older than this program: pages and workers do not work on tables of before."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from cpro.config import PROJECT_ROOT
from cpro.extensions import db

_NAMES = "[0-9][0-9][0-9][0-9]_*.py"


class OldDatabase(Exception):
    """Say that the database must be brought to this version first."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            f"La base de données est à la révision {found}, ce programme attend la {expected}\u202f: lancez "
            "«\u202fflask --app app db upgrade\u202f» après une sauvegarde, puis recommencez."
        )


def check_revision(engine: Engine | None = None) -> None:
    """Return unless the database is at an earlier revision than this program. Raises `OldDatabase`.

    A newer one is served: during an update of several hosts, the program of before works on it. One without tables, or
    that does not answer, is what /sante/pret tells of.
    """
    engine = engine or db.engine
    known = sorted(path.name[:4] for path in (PROJECT_ROOT / "migrations" / "versions").glob(_NAMES))
    try:
        with engine.connect() as connection:
            is_there = inspect(connection).has_table("alembic_version")
            query = text("SELECT max(version_num) FROM alembic_version")
            found = str(connection.scalar(query) or "") if is_there else ""
    except OperationalError:
        return
    engine.dispose()  # a server that forks after this must not share the connection
    if found in known[:-1]:
        raise OldDatabase(found, known[-1])
