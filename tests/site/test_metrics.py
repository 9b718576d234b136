"""/metrics: who may read it, what it tells, and that it names nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cpro import create_app
from cpro.config import UnusableSetting, load_settings
from cpro.core import clock
from cpro.core.commands import COMMAND_LINE
from cpro.core.jobs import operations
from cpro.core.jobs.housekeeping import beat
from cpro.core.mail.models import MailMessage
from cpro.core.transactions import platform_unit_of_work
from cpro.extensions import db
from cpro.site import metrics
from tests.factories import PASSWORD, World
from tests.helpers.browser import Browser

TOKEN = "a-token-of-more-than-16-signs"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def watched(app: Flask, world: World) -> Iterator[Flask]:
    """Return the application, watched: counters belong to an application from its start."""
    one = create_app({**app.config, "CPRO_METRICS_TOKEN": TOKEN})
    yield one
    with one.app_context():
        db.engine.dispose()


@pytest.fixture
def monitor(watched: Flask) -> FlaskClient:
    return watched.test_client()


def read(monitor: FlaskClient) -> dict[str, float]:
    """Return the figures, by name and labels."""
    answer = monitor.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


class TestAccess:
    def test_metrics_is_nowhere_without_a_token(self, app: Flask) -> None:
        assert app.test_client().get("/metrics", headers=BEARER).status_code == 404

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            (None, 401),
            (f"Basic {TOKEN}", 401),
            ("Bearer", 403),
            ("Bearer another", 403),
            (f"Bearer {TOKEN}x", 403),
            ("Bearer é", 403),
            (f"Bearer {TOKEN}", 200),
        ],
    )
    def test_metrics_is_told_to_the_token_alone(self, monitor: FlaskClient, header: str | None, status: int) -> None:
        answer = monitor.get("/metrics", headers={"Authorization": header} if header else {})

        assert answer.status_code == status
        assert ("cpro_jobs" in answer.text) is (status == 200)
        assert ("WWW-Authenticate" in answer.headers) is (status == 401)

    @pytest.mark.parametrize("token", ["short", "fifteen-signs-x", "with a blank in the middle", "accentué-accentué"])
    def test_load_settings_a_token_that_is_guessed_is_refused_and_not_shown(self, token: str, tmp_path: Path) -> None:
        with pytest.raises(UnusableSetting, match="CPRO_METRICS_TOKEN doit compter") as refusal:
            load_settings({"CPRO_METRICS_TOKEN": token, "CPRO_INSTANCE": str(tmp_path)})

        assert token not in str(refusal.value)


class TestRequests:
    def test_requests_are_counted_and_timed_without_what_was_typed(self, watched: Flask, monitor: FlaskClient) -> None:
        before = read(monitor)
        monitor.get("/sante")
        monitor.get("/secret-name/of-somebody?q=DUPONT")
        monitor.open("/sante", method="BREW")
        after = read(monitor)

        named = 'cpro_requests_total{endpoint="pages.alive",method="GET",status="200"}'
        assert after[named] - before.get(named, 0) == 1
        assert after['cpro_requests_total{endpoint="",method="GET",status="404"}'] == 1
        assert after['cpro_requests_total{endpoint="",method="other",status="405"}'] == 1
        assert after['cpro_request_seconds_count{feature="pages"}'] >= 2
        assert not any("DUPONT" in name or "secret-name" in name for name in after)

    def test_requests_of_sign_ins_tell_those_that_fail(
        self, watched: Flask, monitor: FlaskClient, world: World
    ) -> None:
        Browser(watched).sign_in(world.a.code, "administrateur", PASSWORD + "x")
        figures = read(monitor)

        assert figures['cpro_requests_total{endpoint="users.sign_in",method="POST",status="422"}'] == 1
        assert figures["cpro_sign_in_failing"] >= 1
        assert figures["cpro_sign_in_blocked"] == 0


class TestDatabase:
    def test_database_tells_jobs_workers_mails_and_imports(self, watched: Flask, monitor: FlaskClient) -> None:
        with watched.app_context(), platform_unit_of_work("test") as work:
            now = clock.utcnow()
            asked = now - timedelta(hours=2)
            operations.enqueue("jobs:purge", by=COMMAND_LINE, now=asked, session=work.session)
            work.session.add(
                MailMessage(to="a@b.example", subject="Nom", sealed_body="", message_id="<x>", created_at=asked)
            )
        with watched.app_context():
            beat("a worker")

        figures = read(monitor)

        assert figures["cpro_database_up"] == 1
        assert figures['cpro_jobs{state="waiting"}'] == 1
        assert figures['cpro_jobs{state="failed"}'] == 0
        assert 7200 <= figures["cpro_job_wait_seconds"] < 7300
        assert figures["cpro_job_run_seconds"] == 0
        assert figures["cpro_workers"] == 1
        assert figures['cpro_mails{state="waiting"}'] == 1
        assert 7200 <= figures["cpro_mail_wait_seconds"] < 7300
        assert figures['cpro_imports{state="applied"}'] == 0
        assert figures["cpro_store_free_bytes"] > 0

    def test_database_that_does_not_answer_is_a_figure_and_no_failure(
        self, monitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            from sqlalchemy.exc import OperationalError

            raise OperationalError("SELECT 1", {}, Exception("gone"))

        monkeypatch.setattr(metrics, "_list_mails", fail)

        figures = read(monitor)

        assert figures["cpro_database_up"] == 0
        assert not any(name.startswith("cpro_jobs") for name in figures)

    def test_database_no_school_is_a_label(self, watched: Flask, monitor: FlaskClient, world: World) -> None:
        Browser(watched).sign_in_as(world, "administrator").get("/admin/")

        text = monitor.get("/metrics", headers=BEARER).text

        assert set(re.findall(r'[{,](\w+)="', text)) == {
            "version", "state", "method", "endpoint", "status", "feature", "le",
        }  # fmt: skip
        for name in (world.a.code, world.a.name, world.a.uai):
            assert name not in text
