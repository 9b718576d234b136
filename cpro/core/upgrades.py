"""The messages, refusals and lock timeouts of `db upgrade` and `db downgrade`.

Flask-Migrate's functions, called by the tests and the local platform, neither print nor refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Cast, ColumnElement, Connection, MetaData, Table, Text, exists, func, select, true
from sqlalchemy.exc import DBAPIError

from cpro.core.database_errors import is_busy
from cpro.core.upgrade_steps import STEPS

#: Seconds a migration waits for a lock: meanwhile, all later transactions on the table queue behind it.
LOCK_WAIT = 5
#: Default values of columns never written to, as text.
_NOTHING = ("", "0", "0.0", "false", "[]", "{}", "null")
#: Tables without users' data: the revision itself, and what the database derives from other tables.
_DERIVED = frozenset({"alembic_version", "search_word", "worker_beat"})
_DERIVED_COLUMNS = frozenset({("student", "division_sort")})

Place = tuple[str, str]  # table, and column or "" for its rows


@contextmanager
def guarded(connection: Connection, accept_losses: bool) -> Iterator[None]:
    """Run migrations in the block; on the command line, refuse those that lose data, and report lock timeouts.

    `accept_losses` lets a downgrade drop non-empty tables and columns. Raises `click.ClickException`: the caller's
    transaction is then rolled back, and nothing has changed.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("lock_timeout", f"{LOCK_WAIT}s", True)))
    is_guarded = _command() == "downgrade" and not accept_losses
    held = _places_that_hold_something(connection) if is_guarded else set()
    try:
        yield
    except DBAPIError as error:
        if not is_busy(error):
            raise
        raise click.ClickException(
            "Une table dont la migration a besoin est occupée par un autre travail\u202f: rien n’a été changé. "
            "Recommencez dans un instant, ou arrêtez d’abord le site et le «\u202fworker\u202f»."
        ) from error
    lost = held - _places(_tables(connection)) if is_guarded else set()
    if lost:
        raise click.ClickException(
            "Ce retour en arrière perdrait ce que contiennent\u202f: "
            + ", ".join(sorted(f"{table}.{column}" if column else f"la table {table}" for table, column in lost))
            + ".\nRien n’a été changé. Faites une sauvegarde, puis acceptez ces pertes\u202f: "
            "flask --app app db downgrade -x pertes=oui RÉVISION"
        )


def announce(step: Any, **_more: object) -> None:
    """Print one migration step, if a command is running (`on_version_apply` of Alembic)."""
    if _command() in ("upgrade", "downgrade"):
        verb = "Migration" if step.is_upgrade else "Retour avant"
        click.echo(f"{verb} {step.up_revision_id}\u202f: {STEPS.get(step.up_revision_id, step.up_revision.doc)}.")


def announce_end(connection: Connection) -> None:
    """Print the revision of the database, if a command has changed or checked it."""
    if _command() in ("upgrade", "downgrade"):
        revision = MigrationContext.configure(connection).get_current_revision()
        click.echo(f"La base est à la révision {revision}." if revision else "La base est vide.")


def _command() -> str | None:
    context = click.get_current_context(silent=True)
    return context.info_name if context else None


def _tables(connection: Connection) -> list[Table]:
    tables = MetaData()
    tables.reflect(connection)
    return [table for table in tables.sorted_tables if table.name not in _DERIVED]


def _places(tables: list[Table]) -> set[Place]:
    return {(table.name, name) for table in tables for name in ("", *_columns(table))}


def _columns(table: Table) -> list[str]:
    """Return the columns of a table, except those that the database computes."""
    made = [each.name for each in table.columns if each.computed is not None]
    return [name for name in table.columns.keys() if name not in made and (table.name, name) not in _DERIVED_COLUMNS]


def _places_that_hold_something(connection: Connection) -> set[Place]:
    """Return the tables that have rows, and their columns with at least one non-default value."""
    found: set[Place] = set()
    for table in _tables(connection):
        names = ["", *_columns(table)]
        answers = connection.execute(
            select(*(exists(select(1).select_from(table).where(_has_value(table, name))) for name in names))
        ).one()
        found |= {(table.name, name) for name, answer in zip(names, answers, strict=True) if answer}
    return found


def _has_value(table: Table, name: str) -> ColumnElement[bool]:
    if not name:
        return true()
    column = table.columns[name]
    return column.is_not(None) & Cast(column, Text).not_in(_NOTHING)
