"""The Flask extensions, created once and without an application; `create_app` binds them.

Operations, jobs and core modules reach Flask only through `application`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from flask import Flask, current_app, has_request_context
from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Name every constraint, so that migrations can drop it and errors can be distinguished."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


#: Key in a session's `info`: its only connection, when `core.transactions.held_connection` reserves one.
HELD_CONNECTION = "cpro_held_connection"


class Session(FlaskSession):
    """Use the reserved connection if there is one; close without its database; refuse the legacy bulk methods.

    The bulk methods bypass the tenancy filter and the flush guard.
    """

    def get_bind(
        self, mapper: Any = None, clause: Any = None, bind: Engine | Connection | None = None, **kwargs: Any
    ) -> Engine | Connection:
        """Return the connection or engine that executes the statement."""
        held: Connection | None = self.info.get(HELD_CONNECTION)
        return held if held is not None else super().get_bind(mapper=mapper, clause=clause, bind=bind, **kwargs)

    def close(self) -> None:
        """Close the session, even when its connection was lost: the server has rolled its transaction back.

        A request closes its session after its answer is made, which an error here would replace.
        """
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            self.invalidate()

    def bulk_save_objects(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: use `core.bulk_writes.bulk_insert`."""
        raise RuntimeError("bulk_save_objects bypasses tenancy: use core.bulk_writes.bulk_insert")

    def bulk_insert_mappings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: use `core.bulk_writes.bulk_insert`."""
        raise RuntimeError("bulk_insert_mappings bypasses tenancy: use core.bulk_writes.bulk_insert")

    def bulk_update_mappings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: use `core.bulk_writes.bulk_update`."""
        raise RuntimeError("bulk_update_mappings bypasses tenancy: use core.bulk_writes.bulk_update")


class Application:
    """Give operations, jobs and core modules the application's settings, and whether a request is being answered.

    Like `db`, it answers for the application of the current context and stores nothing itself: two applications in
    one process never read each other's settings. Each property raises `RuntimeError` outside any application
    context, except `is_answering`.
    """

    @property
    def flask(self) -> Flask:
        """Return the application itself, for a thread that must open its own context."""
        found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        return found

    @property
    def is_answering(self) -> bool:
        """Return whether a request is being answered; False in a job or a command."""
        return has_request_context()

    @property
    def secret_keys(self) -> tuple[str | bytes, ...]:
        """Return the server's key, then the former keys, still accepted for what they signed or encrypted."""
        return (current_app.config["SECRET_KEY"], *(current_app.config.get("SECRET_KEY_FALLBACKS") or ()))

    @property
    def journal_keys(self) -> tuple[str, ...]:
        """Return the audit journal's own key, then its former ones; empty when the server's key is used."""
        return tuple(current_app.config.get("CPRO_JOURNAL_KEY", ()))

    @property
    def migration_url(self) -> str:
        """Return the database URL of the role that owns the tables, or "" when it is the same as the pages'."""
        return str(current_app.config["CPRO_MIGRATION_DATABASE_URL"])

    @property
    def instance(self) -> Path:
        """Return the instance folder."""
        return Path(current_app.config["CPRO_INSTANCE"])

    @property
    def uploads(self) -> Path:
        """Return the folder of uploaded files, shared by all the machines of a deployment."""
        return Path(current_app.config["CPRO_UPLOADS"])

    @property
    def public_url(self) -> str:
        """Return the public URL of this site, without a final slash."""
        return str(current_app.config["CPRO_PUBLIC_URL"])

    @property
    def second_factor(self) -> str:
        """Return « off », « grace » or « required », or "" when it is not set."""
        return str(current_app.config.get("CPRO_SECOND_FACTOR") or "")

    @property
    def mail_url(self) -> str:
        """Return the URL of the mail server, or "" when messages are written as files of the instance folder."""
        return str(current_app.config["CPRO_MAIL_URL"])

    @property
    def lock_wait(self) -> int | None:
        """Return how many seconds a request waits for a lock, or None for the default."""
        seconds: int | None = current_app.config.get("CPRO_LOCK_WAIT")
        return seconds

    @property
    def statement_limit(self) -> int:
        """Return the time limit, in seconds, of one statement of a request."""
        seconds: int = current_app.config["CPRO_STATEMENT_LIMIT"]
        return seconds

    @property
    def job_statement_limit(self) -> int:
        """Return the time limit, in seconds, of one statement of a job or a command."""
        seconds: int = current_app.config["CPRO_JOB_STATEMENT_LIMIT"]
        return seconds


db = SQLAlchemy(model_class=Base, session_options={"class_": Session})
if TYPE_CHECKING:
    Model = Base  # what db.Model is, in a form a type checker can follow
else:
    Model = db.Model
login_manager = LoginManager()
babel = Babel()
application = Application()
