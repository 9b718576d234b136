"""Flask-Migrate, imported on demand.

It imports Alembic: a quarter of a second at each start and ten megabytes, which no page and hardly any command
needs.
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
    """Let `flask db` and Flask-Migrate's functions find the migrations of an application."""
    app.extensions["migrate"] = _OnDemand(app)
    app.cli.add_command(_Commands("db", help=DB))


class _OnDemand:
    """Placeholder in `app.extensions["migrate"]`, replaced by Flask-Migrate on first access."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        from flask_migrate import Migrate

        _import_group()  # replaces our `db` group
        Migrate(self._app, db, directory=str(PROJECT_ROOT / "migrations"), render_as_batch=True, compare_type=True)
        return getattr(self._app.extensions["migrate"], name)


def _import_group() -> click.Group:
    """Return Flask-Migrate's group, in French."""
    from flask_migrate.cli import db as group

    translate_migrations(group)
    return group  # type: ignore[no-any-return]


class _Commands(click.Group):
    """`flask db`: Flask-Migrate's own group, imported when it is called."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Have Flask-Migrate's group parse the command line and run it."""
        made: click.Context = _import_group().make_context(info_name, args, parent, **extra)
        return made
