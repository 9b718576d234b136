"""The extensions, created once and without an application; `create_app` binds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from flask_wtf import CSRFProtect
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


db = SQLAlchemy(model_class=Base, session_options={"class_": Session})
if TYPE_CHECKING:
    Model = Base  # what db.Model is, said in a way a type checker follows
else:
    Model = db.Model
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
babel = Babel()
