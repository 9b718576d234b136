"""Stock Flask-Admin over the lists of CPro: `python stock_flask_admin.py DATABASE`, in the environment of the peers.

Its lists show the same columns, twenty rows a page, in the same order, searched by the same folded text, through the
library's own `ModelView`, count and templates. Paths are read as `answering.py` says. There is no sign-in, which spares
it two statements that CPro sends.
"""

from __future__ import annotations

import sys
from typing import Any

from answering import answer_paths
from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Division(db.Model):
    """A class."""

    id = db.Column(db.Integer, primary_key=True)
    code = db.Column(db.String)

    def __str__(self) -> str:
        return str(self.code)


class Student(db.Model):
    """A pupil."""

    id = db.Column(db.Integer, primary_key=True)
    establishment_id = db.Column(db.Integer)
    last_name = db.Column(db.String)
    first_name = db.Column(db.String)
    birth_date = db.Column(db.Date)
    division_id = db.Column(db.ForeignKey("division.id"))
    ine = db.Column(db.String)
    is_active = db.Column(db.Boolean)
    search_key = db.Column(db.String)
    division = db.relationship(Division)


class Account(db.Model):
    """An account."""

    id = db.Column(db.Integer, primary_key=True)
    establishment_id = db.Column(db.Integer)
    last_name = db.Column(db.String)
    first_name = db.Column(db.String)
    role = db.Column(db.String)
    login = db.Column(db.String)
    is_active = db.Column(db.Boolean)
    last_sign_in_at = db.Column(db.DateTime(timezone=True))
    search_key = db.Column(db.String)


class Entry(db.Model):
    """A line of the journal."""

    __tablename__ = "audit_entry"

    id = db.Column(db.Integer, primary_key=True)
    establishment_id = db.Column(db.Integer)
    at = db.Column(db.DateTime(timezone=True))
    actor_id = db.Column(db.Integer)
    actor_label = db.Column(db.String)
    action = db.Column(db.String)
    object_label = db.Column(db.String)
    search_key = db.Column(db.String)


class _OfOneSchool(ModelView):
    named_filter_urls = True
    column_searchable_list = ("search_key",)
    column_default_sort = [("search_key", False), ("id", False)]

    def get_query(self) -> Any:
        return super().get_query().filter(self.model.establishment_id == 1)

    def get_count_query(self) -> Any:
        return super().get_count_query().filter(self.model.establishment_id == 1)


class _Students(_OfOneSchool):
    column_list = ("last_name", "first_name", "birth_date", "division", "ine", "is_active")
    column_filters = ("is_active", "division_id")
    column_searchable_list = ("search_key", "ine")


class _Accounts(_OfOneSchool):
    column_list = ("last_name", "first_name", "role", "login", "is_active", "last_sign_in_at")
    column_filters = ("role", "is_active")


class _Entries(_OfOneSchool):
    column_list = ("at", "actor_label", "action", "object_label")
    column_filters = ("actor_id",)
    column_default_sort = ("id", True)


def create_app(address: str) -> Flask:
    """Return Flask-Admin's application on a database with this SQLAlchemy URL."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="bench",  # pragma: allowlist secret
        SQLALCHEMY_DATABASE_URI=address,
        BABEL_DEFAULT_LOCALE="fr",
    )
    if address.startswith("postgresql"):  # row-level security shows it the same school
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"options": "-c cpro.scope=1"}}
    db.init_app(app)
    Babel(app)
    admin = Admin(app, name="bench")
    for model, screen in ((Student, _Students), (Account, _Accounts), (Entry, _Entries)):
        admin.add_view(screen(model, db, endpoint=model.__name__.lower()))
    return app


if __name__ == "__main__":
    client = create_app(sys.argv[1]).test_client()
    answer_paths(lambda path: client.get(path).status_code)
