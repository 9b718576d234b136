"""A lock that somebody else holds: who waits, for how long, and what they are answered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import locks, tenancy
from cpro.core.database_errors import is_busy
from cpro.core.jobs.housekeeping import beat
from cpro.core.locks import PATIENT_WAIT, REQUEST_WAIT, wait_at_most
from cpro.core.transactions import platform_unit_of_work, unit_of_work
from cpro.establishments.models import Establishment
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.users.sign_in_models import SignIn
from tests.factories import World, make_mandate
from tests.helpers.browser import Browser
from tests.helpers.locks import locked_row
from tests.helpers.pages import Page
from tests.helpers.records import rows
from tests.helpers.statements import statements_sent

As = Callable[..., Browser]
Arrange = Callable[[], AbstractContextManager[Session]]
LockRow = Callable[[str], AbstractContextManager[None]]
PARTICULARS = "/admin/parametres/etablissement"
START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def lock_row(app: Flask, database: str, admin_engine: Engine | None) -> LockRow:
    """Return a function that locks a row (on SQLite, the single writer) from another connection."""
    return lambda row: locked_row(database, admin_engine, row)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests wait a tenth of a second: what they do next is the same."""
    monkeypatch.setattr(locks, "REQUEST_WAIT", 0.1)


def wait_of(session: Session) -> int:
    """Return for how many milliseconds the database lets the session's transaction wait."""
    if session.get_bind().dialect.name == "sqlite":
        return int(session.scalar(text("PRAGMA busy_timeout")) or 0)
    return int(session.scalar(text("SELECT setting FROM pg_settings WHERE name = 'lock_timeout'")) or 0)


class TestWaitAtMost:
    def test_wait_at_most_a_request_waits_two_seconds_and_everything_else_thirty(self, app: Flask) -> None:
        with app.app_context(), platform_unit_of_work("test") as work:
            assert wait_of(work.session) == PATIENT_WAIT * 1000 == 30_000
        with app.test_request_context(), platform_unit_of_work("test") as work:
            assert wait_of(work.session) == REQUEST_WAIT * 1000 == 2_000
        with app.app_context(), platform_unit_of_work("test") as work:
            assert wait_of(work.session) == 30_000, "the same connection, set anew"

    def test_wait_at_most_a_caller_that_may_not_wait_does_not(
        self, app: Flask, world: World, lock_row: LockRow
    ) -> None:
        with lock_row(f"establishment WHERE id = {world.a.id}"), app.app_context():
            started = time.monotonic()
            with pytest.raises(OperationalError) as refusal, wait_at_most(0):
                _write(world.a.id)
            assert time.monotonic() - started < PATIENT_WAIT
        assert is_busy(refusal.value)


class TestLimits:
    @pytest.mark.postgresql
    def test_limits_of_a_statement_are_shorter_for_a_request_than_for_a_job(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def limit() -> str:
            with platform_unit_of_work("test") as work:
                return str(work.session.scalar(text("SHOW statement_timeout")))

        with app.test_request_context():
            assert limit() == "30s"
            monkeypatch.setitem(app.config, "CPRO_STATEMENT_LIMIT", 7)
            assert limit() == "7s"
        with app.app_context():
            assert limit() == "1h"

    @pytest.mark.postgresql
    @pytest.mark.slow
    def test_limits_a_page_that_asks_too_much_is_stopped_and_says_so(
        self, app: Flask, as_: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        head = as_("head")
        monkeypatch.setitem(app.config, "CPRO_STATEMENT_LIMIT", 1)

        def slow(connection: object, cursor: object, statement: str, *_more: object) -> tuple[str, tuple[()]]:
            return ("SELECT pg_sleep(20)", ()) if "FROM student" in statement else (statement, _more[0])  # type: ignore[return-value]

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", slow, retval=True)
        try:
            began = time.monotonic()
            answer = head.get("/admin/eleves/")
            took = time.monotonic() - began
        finally:
            with app.app_context():
                event.remove(db.engine, "before_cursor_execute", slow)

        assert (answer.status_code, took < 15) == (503, True)
        text_ = Page(answer).text
        assert "demandait trop de temps à la base de données" in text_
        assert "Revenir à l’accueil" in text_
        assert "occupée" not in text_
        assert head.get("/admin/eleves/").status_code == 200


class TestBusyRequest:
    def test_busy_request_that_waits_in_vain_is_asked_to_come_back_and_loses_nothing(
        self, app: Flask, as_: As, world: World, lock_row: LockRow
    ) -> None:
        browser = as_("administrator")
        with app.app_context():
            beat("worker of the test")
        fields = {**browser.form(PARTICULARS), "city": "Nancy", "name": "Lycée\n« Ada » & fils"}

        with lock_row(f"establishment WHERE id = {world.a.id}"):
            started = time.monotonic()
            answer = browser.post(PARTICULARS, fields)
            waited = time.monotonic() - started
            others = [browser.get(path).status_code for path in ("/admin/", "/sante", "/sante/pret")]

        assert answer.status_code == 503
        assert REQUEST_WAIT * 0.9 < waited < PATIENT_WAIT
        assert others == [200, 200, 200]
        assert int(answer.headers["Retry-After"]) > 0
        assert "Service momentanément indisponible" in answer.text
        assert "réessayez dans un instant" in answer.text
        assert "OperationalError" not in answer.text
        (before,) = [row for row in rows(app, Establishment) if row["id"] == world.a.id]
        assert before["city"] != "Nancy"

        typed = _form_of(answer.text)
        assert typed["city"] == "Nancy"
        assert browser.post(PARTICULARS, typed, token=False).status_code == 303
        (after,) = [row for row in rows(app, Establishment) if row["id"] == world.a.id]
        assert after["city"] == "Nancy"

    @pytest.mark.usefixtures("hurried")
    def test_busy_request_of_an_account_in_use_shows_no_password(
        self, app: Flask, world: World, lock_row: LockRow
    ) -> None:
        browser = Browser(app)
        browser.get("/connexion")

        with lock_row(f"establishment WHERE id = {world.a.id}"):
            answer = browser.sign_in(world.a.code, world.logins["administrator"], world.password)

        assert answer.status_code == 503
        assert world.password not in unescape(answer.text)
        assert 'name="login"' not in answer.text

    @pytest.mark.usefixtures("hurried")
    def test_busy_request_that_is_refused_stays_refused_when_it_cannot_be_recorded(
        self, app: Flask, as_: As, world: World, lock_row: LockRow
    ) -> None:
        browser = as_("teacher")

        with lock_row(f"establishment WHERE id = {world.a.id}"):
            assert browser.post(PARTICULARS, {"city": "Nancy"}).status_code == 403

    @pytest.mark.usefixtures("hurried")
    def test_busy_request_of_an_inspector_is_not_shown_unless_it_can_be_recorded(
        self, app: Flask, as_: As, world: World, arrange: Arrange, lock_row: LockRow
    ) -> None:
        with arrange() as session:
            session.add(make_mandate(world))
        browser = as_("inspector", enter="a")
        lines = len(rows(app, AuditEntry))

        with lock_row(f"establishment WHERE id = {world.a.id}"):
            answer = browser.get("/scenarios")
        assert (answer.status_code, len(rows(app, AuditEntry))) == (503, lines)

        assert browser.get("/scenarios").status_code == 200


class TestReadingNeverWaits:
    def test_reading_never_waits_to_note_activity(self, app: Flask, as_: As, world: World, lock_row: LockRow) -> None:
        with time_machine.travel(START, tick=False) as clock:
            browser = as_("administrator")
            ((sign_in_id, seen),) = _sign_ins(app)
            clock.shift(timedelta(minutes=5))

            with lock_row(f"sign_in WHERE id = {sign_in_id}"):
                assert browser.get("/admin/").status_code == 200
                assert _sign_ins(app) == [(sign_in_id, seen)]

            assert browser.get("/admin/").status_code == 200
            assert _sign_ins(app) == [(sign_in_id, START + timedelta(minutes=5))]

    def test_reading_whether_the_process_is_alive_asks_the_database_nothing(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        with statements_sent(app) as asked:
            answer = browser.get("/sante")

        assert (answer.status_code, answer.json, asked) == (200, {"status": "ok"}, [])


def _write(school_id: int) -> None:
    tenancy.enter(tenancy.Scope(school_id))
    with unit_of_work():
        lock_current_establishment()


def _sign_ins(app: Flask) -> list[tuple[int, datetime]]:
    with app.app_context(), tenancy.platform_session("test") as session:
        return [(row.id, row.last_seen_at) for row in session.scalars(select(SignIn))]


def _form_of(page: str) -> dict[str, str]:
    """Return the fields that « Réessayer » sends."""
    main = page[page.index("<main") :]
    form = main[main.index("<form") : main.index("</form>")]
    assert "Réessayer" in form
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return {unescape(name): unescape(value) for name, value in found}
