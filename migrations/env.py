"""How Alembic reaches the application's database: inside the application context, in one transaction."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, NullPool, create_engine, text

from cpro.core.database_roles import grant_rights
from cpro.core.types import UTCDateTime
from cpro.core.upgrades import announce, announce_end, guarded
from cpro.extensions import db


def render_type(kind: str, item: object, autogen_context: object) -> str | bool:
    """Write our column types as what they are in the database, so that migrations do not depend on our code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


def run_migrations() -> None:
    """Migrate the database of the current application."""
    options, owner = current_app.extensions["migrate"].configure_args, current_app.config["CPRO_MIGRATION_DATABASE_URL"]
    engine = create_engine(owner, poolclass=NullPool) if owner else db.engine
    with engine.connect() as connection:
        on_postgresql = connection.dialect.name == "postgresql"
        if not on_postgresql:
            # SQLite rebuilds a table by dropping it, which foreign keys would refuse, or follow into the rows that
            # refer to it. The setting is deaf inside a transaction, which the engine begins for any statement.
            _on_sqlite(connection, "PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_type,
            on_version_apply=announce,
            transactional_ddl=True,
            **options,
        )
        accept_losses = context.get_x_argument(as_dictionary=True).get("pertes") == "oui"
        with context.begin_transaction():
            if on_postgresql:  # data migrations span all schools (row-level security, 0002)
                connection.execute(text("SELECT set_config('cpro.scope', 'platform', true)"))
            with guarded(connection, accept_losses):
                context.run_migrations()
            if on_postgresql and owner:
                grant_rights(connection, current_app.config["SQLALCHEMY_DATABASE_URI"])
            announce_end(connection)
        connection.commit()
        if not on_postgresql:
            _on_sqlite(connection, "PRAGMA foreign_keys=ON")


def _on_sqlite(connection: Connection, pragma: str) -> None:
    """Send a setting to the driver itself, outside any transaction."""
    connection.connection.cursor().execute(pragma)


run_migrations()
