"""Shared by the commands: the actor, and refusals written in one sentence on standard error."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec, TypeVar

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from cpro.core.errors import DomainError
from cpro.core.permissions import Actor
from cpro.core.server_key import check_key

P = ParamSpec("P")
R = TypeVar("R")

#: The actor of commands: a person with a shell on the server.
COMMAND_LINE = Actor("system", None, "Administration du serveur", "system", "ligne de commande")


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """End a command that a rule refuses with its French sentence and exit status 1; refuse to run under another key.

    Under another server key the codes it generates would be void, and its journal lines would not verify.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        check_key()
        return command(*args, **kwargs)

    return sentences_under_any_key(run)


def sentences_under_any_key(command: Callable[P, R]) -> Callable[P, R]:
    """End a command that a rule refuses with its French sentence and exit status 1, whatever the server's key."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except DomainError as refusal:
            raise click.ClickException(refusal.message) from None
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(
                "La base de données ne répond pas comme attendu ; est-elle à jour (flask --app app db upgrade) ? "
                f"{error.__class__.__name__}"
            ) from error

    return run


def print_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their titles, in columns as wide as their content; None is an empty cell."""
    lines = [list(titles), *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
