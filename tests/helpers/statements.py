"""Record the statements that a block sends to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from cpro.extensions import db


@contextmanager
def listening(app: Flask, note: Callable[..., None]) -> Iterator[None]:
    """Call `note` with the arguments of SQLAlchemy's `before_cursor_execute` for each statement sent in the block."""
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def statements_sent(app: Flask) -> Iterator[list[str]]:
    """Yield the list that receives each statement sent in the block, except those that set SQLite's busy timeout."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("PRAGMA"):
            sent.append(statement)

    with listening(app, note):
        yield sent


@contextmanager
def statements_with_values(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """Yield the list that receives each statement sent in the block, with its values."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        sent.append((statement, values))

    with listening(app, note):
        yield sent


def count_statements(app: Flask, action: Callable[[], object]) -> int:
    """Return how many statements an action sends."""
    with statements_sent(app) as sent:
        action()
    return len(sent)
