"""Record the statements that a block sends to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import event

from cpro.extensions import db


@contextmanager
def statements_sent(app: Flask) -> Iterator[list[str]]:
    """Yield the list that receives each statement sent in the block, except those that set SQLite's busy timeout."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("PRAGMA"):
            sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def count_statements(app: Flask, action: Callable[[], object]) -> int:
    """Return how many statements an action sends."""
    with statements_sent(app) as sent:
        action()
    return len(sent)
