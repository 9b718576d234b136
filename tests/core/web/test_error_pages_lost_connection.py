"""A statement of a request that PostgreSQL cuts short, any of them: the page, or a 503 that says the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from cpro.establishments.models import Establishment
from cpro.extensions import db
from tests.factories import World
from tests.helpers.browser import Browser

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
#: Breaks what a request sends to the database at a place, from 0; yields what was broken, nothing past the last.
Break = Callable[[Flask, int], AbstractContextManager[list[str]]]

PARTICULARS = "/admin/parametres/etablissement"
#: More than what a request of these tests sends.
_MOST = 100

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def as_served(app: Flask, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not database.startswith("postgresql"):
        pytest.skip("SQLite has no connection to lose, and no statement timeout")
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


@contextmanager
def cut(app: Flask, place: int) -> Iterator[list[str]]:
    """End the connection at the server just before a statement, a commit or a rollback."""
    numbers, broken = count(), list[str]()
    with app.app_context():
        engine = db.engine

    def end(connection: Connection, *sent: Any) -> None:
        if next(numbers) != place:
            return
        number = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        other = create_engine(engine.url)
        with other.connect() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        other.dispose()
        broken.append(str(sent[1]) if sent else "")

    for name in ("before_cursor_execute", "commit", "rollback"):
        event.listen(engine, name, end)
    try:
        yield broken
    finally:
        for name in ("before_cursor_execute", "commit", "rollback"):
            event.remove(engine, name, end)


@contextmanager
def time_out(app: Flask, place: int) -> Iterator[list[str]]:
    """Have a statement last longer than the database lets it."""
    numbers, broken = count(), list[str]()
    with app.app_context():
        engine = db.engine

    def slow_down(_connection: object, cursor: Any, statement: str, values: Any, *_rest: Any) -> tuple[str, Any]:
        if next(numbers) != place:
            return statement, values
        cursor.execute("SET LOCAL statement_timeout = '1ms'")
        broken.append(statement)
        return "SELECT pg_sleep(9)", {}

    event.listen(engine, "before_cursor_execute", slow_down, retval=True)
    try:
        yield broken
    finally:
        event.remove(engine, "before_cursor_execute", slow_down)


@pytest.mark.parametrize(
    ("broken_by", "sentence"),
    [(cut, "La base de données ne répond pas."), (time_out, "arrêtée.")],
    ids=["cut", "time-out"],
)
class TestLostConnection:
    @pytest.mark.parametrize("address", [PARTICULARS, "/admin/eleves/", "/"])
    def test_lost_at_any_statement_of_a_page_is_that_page_or_a_503(
        self, app: Flask, as_: As, broken_by: Break, sentence: str, address: str
    ) -> None:
        browser = as_("administrator")
        statuses, of_counts = [], []
        for place in range(_MOST):
            with broken_by(app, place) as broken:
                answer = browser.get(address, follow_redirects=True)
            if not broken:
                break
            statuses.append(answer.status_code)
            if broken[0].startswith("SELECT (SELECT count("):
                of_counts.append(answer.status_code)
            if answer.status_code == 503:
                assert sentence in answer.text, place
                assert "Rien n’a été enregistré" not in answer.text, "nothing was to be saved"

        assert set(statuses) == {200, 503}, list(enumerate(statuses))
        assert 200 in of_counts, "the menu is shown without its counts"

    def test_lost_at_any_statement_of_a_form_says_truly_whether_it_is_saved(
        self, app: Flask, as_: As, world: World, arrange: Look, broken_by: Break, sentence: str
    ) -> None:
        browser = as_("administrator")
        outcomes = []
        for place in range(_MOST):
            city = f"Ville-{place}"
            typed = {**browser.form(PARTICULARS), "city": city}
            assert browser.post(PARTICULARS, {**typed, "city": "V" * 300}).status_code == 422
            with broken_by(app, place) as broken:
                answer = browser.post(PARTICULARS, typed)
            with arrange() as session:
                is_saved = session.get_one(Establishment, world.a.id).city == city
            if not broken:
                break
            outcomes.append((place, answer.status_code, is_saved))
            if answer.status_code == 503:
                assert f"{sentence} Rien n’a été enregistré" in answer.text, place

        assert {each[1:] for each in outcomes} == {(303, True), (503, False)}, outcomes
