"""Two PostgreSQL roles: one owns the tables and migrates them, the other serves requests and owns nothing.

With the serving role, journal lines can be added but neither changed nor deleted, and the journal's triggers cannot
be dropped. SQLite has no roles.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import OperationalError

from cpro.extensions import db

_ROWS = "SELECT, INSERT, UPDATE, DELETE"
#: The serving role's rights on the tables where it has fewer than usual.
_LESS = {"audit_entry": "SELECT, INSERT", "audit_head": "SELECT, INSERT, UPDATE", "alembic_version": "SELECT"}
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
_POWERS = text(
    """
    SELECT rolsuper OR rolbypassrls
        OR has_schema_privilege(current_schema(), 'CREATE')
        OR EXISTS (
            SELECT FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND pg_has_role(relowner, 'MEMBER')
        )
        OR coalesce(has_table_privilege(to_regclass('audit_entry'), 'UPDATE, DELETE, TRUNCATE'), false)
    FROM pg_roles WHERE rolname = current_user
    """
)


class UnsafeRole(Exception):
    """The serving role could change the tables, or rewrite the journal."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"Le rôle PostgreSQL «\u202f{role}\u202f» possède les tables de CPro ou peut les modifier\u202f: il "
            "pourrait réécrire le journal. CPro ne sert qu’avec un rôle qui ne possède rien\u202f: voir «\u202fDeux "
            "rôles\u202f» dans docs/exploitation.md."
        )


def grant_rights(connection: Connection, serving_url: str) -> None:
    """Grant the serving role its rights on each table and revoke the others; must be run as the owner of the tables."""
    user, owner = make_url(serving_url).username, connection.scalar(text("SELECT current_user"))
    if user is None or user == owner:
        return
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(connection.scalar(text("SELECT current_schema()")) or "public")
    name = quote(user)
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
    for table in connection.scalars(_TABLES).all():
        connection.execute(text(f"REVOKE ALL ON {quote(table)} FROM {name}"))
        connection.execute(text(f"GRANT {_LESS.get(table, _ROWS)} ON {quote(table)} TO {name}"))
    connection.execute(text(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}"))


def check_serving_role(engine: Engine | None = None) -> None:
    """Raise `UnsafeRole` if the database role must not serve requests.

    A database that does not answer is checked at the next start.
    """
    engine = engine or db.engine
    if engine.dialect.name != "postgresql":
        return
    try:
        with engine.connect() as connection:
            is_unsafe = connection.scalar(_POWERS)
    except OperationalError:
        return
    engine.dispose()  # a server that forks after this must not share the connection
    if is_unsafe:
        raise UnsafeRole(engine.url.username or "")
