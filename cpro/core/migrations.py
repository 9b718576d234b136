"""Flask-Migrate, imported when a migration is asked for.

It brings Alembic: a quarter of a second at each start and ten megabytes, which no page and hardly a command needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cpro.config import PROJECT_ROOT
from cpro.core.cli_words import DB, translate_migrations
from cpro.extensions import db

if TYPE_CHECKING:
    from flask import Flask


def register(app: Flask) -> None:
    """Let `flask db` and the functions of Flask-Migrate find the migrations of an application."""
    app.extensions["migrate"] = _OnDemand(app)
    app.cli.add_command(_Commands("db", help=DB))


class _OnDemand:
    """Stand in `app.extensions["migrate"]` until Flask-Migrate looks there, then leave it the place."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        from flask_migrate import Migrate

        _import_group()  # which takes the place of ours
        Migrate(self._app, db, directory=str(PROJECT_ROOT / "migrations"), render_as_batch=True, compare_type=True)
        return getattr(self._app.extensions["migrate"], name)


def _import_group() -> click.Group:
    """Return Flask-Migrate's group, in French."""
    from flask_migrate.cli import db as group

    translate_migrations(group)
    return group  # type: ignore[no-any-return]


class _Commands(click.Group):
    """`flask db`: Flask-Migrate's own group, once it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Let Flask-Migrate's group read the line, and do what it says."""
        made: click.Context = _import_group().make_context(info_name, args, parent, **extra)
        return made
