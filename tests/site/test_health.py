"""/sante/pret: what a monitor learns, and what it must not be told is well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from cpro.core import clock
from cpro.core.commands import COMMAND_LINE
from cpro.core.jobs import operations
from cpro.core.jobs.housekeeping import beat
from cpro.core.jobs.models import WorkerBeat
from cpro.core.mail.models import MailMessage
from cpro.core.server_key import claim_key
from cpro.core.storage import FileStorage
from cpro.core.transactions import platform_unit_of_work
from cpro.site import health
from tests.factories import World
from tests.helpers.browser import Browser
from tests.helpers.uploads import unmount

LONG_AGO = timedelta(days=1)


@pytest.fixture
def ask(app: Flask, world: World, browser: Callable[[], Browser]) -> Callable[[], tuple[int, list[str]]]:
    """Return what a monitor does: ask, and read the status and what is not well. A worker has just been seen."""
    with app.app_context():
        beat("a worker")

    def asked() -> tuple[int, list[str]]:
        answer = browser().get("/sante/pret")
        told = answer.get_json()
        assert told["status"] == ("ok" if answer.status_code == 200 else "unavailable")
        return answer.status_code, told.get("problems", [])

    return asked


Ask = Callable[[], tuple[int, list[str]]]


class TestReady:
    def test_ready_when_all_is_well(self, ask: Ask) -> None:
        assert ask() == (200, [])

    def test_ready_not_without_a_worker(self, app: Flask, ask: Ask) -> None:
        with app.app_context(), platform_unit_of_work("test") as work:
            work.session.get_one(WorkerBeat, "a worker").seen_at -= timedelta(minutes=6)

        assert ask() == (503, ["no worker gave a sign of life for five minutes"])

    def test_ready_not_while_a_job_waits_for_an_hour(self, app: Flask, ask: Ask) -> None:
        with app.app_context(), platform_unit_of_work("test") as work:
            now = clock.utcnow()
            operations.enqueue("jobs:purge", by=COMMAND_LINE, now=now - LONG_AGO, session=work.session)

        assert ask() == (503, ["a job has waited for more than an hour"])

    def test_ready_a_job_that_is_not_due_yet_waits_for_nobody(self, app: Flask, ask: Ask) -> None:
        with app.app_context(), platform_unit_of_work("test") as work:
            now = clock.utcnow()
            operations.enqueue(
                "jobs:purge", by=COMMAND_LINE, now=now - LONG_AGO, session=work.session, not_before=now + LONG_AGO
            )

        assert ask() == (200, [])

    def test_ready_not_while_a_message_waits(self, app: Flask, ask: Ask) -> None:
        with app.app_context(), platform_unit_of_work("test") as work:
            work.session.add(
                MailMessage(
                    to="a@cpro.example",
                    subject="Essai",
                    sealed_body="",
                    message_id="<essai@cpro.example>",
                    created_at=clock.utcnow() - LONG_AGO,
                )
            )

        assert ask() == (503, ["a message has waited for more than two hours"])

    def test_ready_not_at_another_revision(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "list_revisions", lambda: ("0001", "9999"))

        assert ask() == (503, ["the database is not at the revision of this program"])

    def test_ready_not_under_another_server_key(self, app: Flask, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        with app.app_context():
            claim_key(now=clock.utcnow())
        assert ask() == (200, [])

        monkeypatch.setitem(app.config, "SECRET_KEY", "another-key-of-no-value")

        assert ask() == (503, ["the database belongs to another server key"])

    def test_ready_not_without_room(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "_FREE_SPACE", 1 << 60)

        assert ask() == (503, ["less than one gigabyte is left in the store"])

    def test_ready_not_without_the_disk_of_the_store(self, app: Flask, ask: Ask) -> None:
        store = unmount(app)

        problem = "the store is not there: its disk is not mounted, or its folder lost its mark"
        assert ask() == (503, [problem])
        assert list(store.iterdir()) == []
        store.rmdir()
        assert ask() == (503, [problem])
        assert not store.exists()

        FileStorage(store).prepare()
        assert ask() == (200, [])

    def test_ready_not_where_the_store_is_a_file(self, app: Flask, ask: Ask, tmp_path: Path) -> None:
        (tmp_path / "store").write_text("no folder")
        app.config["CPRO_UPLOADS"], usual = tmp_path / "store", app.config["CPRO_UPLOADS"]
        try:
            assert ask() == (503, ["the store cannot be written"])
        finally:
            app.config["CPRO_UPLOADS"] = usual
