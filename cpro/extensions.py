"""The extensions, created once and without an application; `create_app` binds them.

`application` is the only way from rules, jobs and mechanisms to Flask.
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
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Give every constraint a name, so that migrations can drop it and errors can be told apart."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


#: In a session's `info`: the one connection it works on, where `core.transactions.held_connection` holds one.
HELD_CONNECTION = "cpro_held_connection"


class Session(FlaskSession):
    """Work on the connection that is held, if one is; close the bulk methods of old.

    These reach neither the tenancy filter nor the flush guard.
    """

    def get_bind(
        self, mapper: Any = None, clause: Any = None, bind: Engine | Connection | None = None, **kwargs: Any
    ) -> Engine | Connection:
        """Return what a statement is sent on."""
        held: Connection | None = self.info.get(HELD_CONNECTION)
        return held if held is not None else super().get_bind(mapper=mapper, clause=clause, bind=bind, **kwargs)

    def bulk_save_objects(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: use `core.tenancy.bulk_insert`."""
        raise RuntimeError("bulk_save_objects bypasses tenancy: use core.tenancy.bulk_insert")

    def bulk_insert_mappings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: use `core.tenancy.bulk_insert`."""
        raise RuntimeError("bulk_insert_mappings bypasses tenancy: use core.tenancy.bulk_insert")

    def bulk_update_mappings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: use `core.tenancy.bulk_update`."""
        raise RuntimeError("bulk_update_mappings bypasses tenancy: use core.tenancy.bulk_update")


class Application:
    """What rules, jobs and mechanisms ask of the application they run in: its settings, and whether a page waits.

    As `db` does, it answers for the application whose context is current and stores nothing itself: two applications
    in one process never read each other's settings. Each property raises `RuntimeError` outside any application, except
    `is_answering`.
    """

    @property
    def flask(self) -> Flask:
        """Return the application itself, for a thread that must open a context of its own."""
        found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        return found

    @property
    def is_answering(self) -> bool:
        """Return whether a browser waits for an answer; neither a job nor a command has one waiting."""
        return has_request_context()

    @property
    def secret_keys(self) -> tuple[str | bytes, ...]:
        """Return the server's key, then the former ones that still open what they sealed."""
        return (current_app.config["SECRET_KEY"], *(current_app.config.get("SECRET_KEY_FALLBACKS") or ()))

    @property
    def journal_keys(self) -> tuple[str, ...]:
        """Return the journal's own key, then its former ones; none where the server's key serves."""
        return tuple(current_app.config.get("CPRO_JOURNAL_KEY", ()))

    @property
    def migration_url(self) -> str:
        """Return the address of the database for the role that owns the tables, "" where it is that of the pages."""
        return str(current_app.config["CPRO_MIGRATION_DATABASE_URL"])

    @property
    def instance(self) -> Path:
        """Return the instance folder."""
        return Path(current_app.config["CPRO_INSTANCE"])

    @property
    def uploads(self) -> Path:
        """Return the folder of what people deposit, shared by all the machines of a deployment."""
        return Path(current_app.config["CPRO_UPLOADS"])

    @property
    def public_url(self) -> str:
        """Return the address of this site as people know it, without a final slash."""
        return str(current_app.config["CPRO_PUBLIC_URL"])

    @property
    def second_factor(self) -> str:
        """Return « off », « grace » or « required », "" where nobody chose."""
        return str(current_app.config.get("CPRO_SECOND_FACTOR") or "")

    @property
    def mail_url(self) -> str:
        """Return the address of the mail server, "" where messages are files of the instance folder."""
        return str(current_app.config["CPRO_MAIL_URL"])

    @property
    def lock_wait(self) -> int | None:
        """Return the seconds a request waits for a lock, None for the usual ones."""
        seconds: int | None = current_app.config.get("CPRO_LOCK_WAIT")
        return seconds

    @property
    def statement_limit(self) -> int:
        """Return the seconds that one statement of a request may take."""
        seconds: int = current_app.config["CPRO_STATEMENT_LIMIT"]
        return seconds

    @property
    def job_statement_limit(self) -> int:
        """Return the seconds that one statement of a job or a command may take."""
        seconds: int = current_app.config["CPRO_JOB_STATEMENT_LIMIT"]
        return seconds


db = SQLAlchemy(model_class=Base, session_options={"class_": Session})
if TYPE_CHECKING:
    Model = Base  # what db.Model is, said in a way a type checker follows
else:
    Model = db.Model
login_manager = LoginManager()
babel = Babel()
application = Application()
