"""What comes by itself: once per period, whatever the number of workers; the nightly sweep of pictures."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from cpro.core import clock, tenancy
from cpro.core.jobs import handlers, instants
from cpro.core.jobs.housekeeping import run_housekeeping
from cpro.core.jobs.models import Job, JobState
from cpro.extensions import db
from tests.core.jobs.conftest import Shop
from tests.helpers import database_clock, pictures
from tests.helpers.browser import Browser
from tests.helpers.uploads import stored_files, undo, upload

EVENING = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)
BEFORE_THREE_IN_PARIS = datetime(2026, 11, 3, 1, 59, tzinfo=UTC)
AFTER_THREE_IN_PARIS = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)


def keep(shop: Shop, instant: datetime) -> None:
    with time_machine.travel(instant, tick=False), shop.app.app_context():
        run_housekeeping()


def period_keys(shop: Shop, kind: str = "pictures:sweep") -> list[str]:
    with shop.app.app_context(), tenancy.platform_session("test") as session:
        return [key for key in session.scalars(select(Job.period_key).where(Job.kind == kind).order_by(Job.id)) if key]


class TestRunHousekeeping:
    def test_run_housekeeping_once_a_night_after_three_in_paris(self, shop: Shop) -> None:
        for instant in (EVENING, EVENING, BEFORE_THREE_IN_PARIS):
            keep(shop, instant)
        assert period_keys(shop) == ["pictures:sweep@2026-11-02"]

        for _ in range(3):
            keep(shop, AFTER_THREE_IN_PARIS)
        assert period_keys(shop) == ["pictures:sweep@2026-11-02", "pictures:sweep@2026-11-03"]

    def test_run_housekeeping_workers_that_start_together_ask_once(self, shop: Shop) -> None:
        together = threading.Barrier(4)

        def start() -> None:
            with shop.app.app_context():
                together.wait()
                run_housekeeping()

        threads = [threading.Thread(target=start) for _ in range(4)]
        with time_machine.travel(EVENING, tick=False):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert period_keys(shop) == ["pictures:sweep@2026-11-02"]

    def test_run_housekeeping_unused_pictures_go(self, shop: Shop) -> None:
        browser = Browser(shop.app).sign_in_as(shop.world, "administrator")
        upload(browser, pictures.png())
        undo(browser)
        old = (clock.utcnow() - timedelta(hours=2)).timestamp()
        for path in stored_files(shop.app):
            os.utime(path, (old, old))

        later = (clock.utcnow() + timedelta(days=31)).replace(hour=12)  # whatever the hour this is played
        keep(shop, later)
        with time_machine.travel(later, tick=True):
            shop.work()

        assert stored_files(shop.app) == []

    def test_run_housekeeping_old_periodic_jobs_are_forgotten_and_peoples_are_not(self, shop: Shop) -> None:
        asked = shop.ask("report")
        keep(shop, EVENING)
        shop.work()
        shop.change(asked, created_at=EVENING)

        keep(shop, EVENING + timedelta(days=31))
        with time_machine.travel(EVENING + timedelta(days=31), tick=True):
            shop.work()

        assert period_keys(shop) == ["pictures:sweep@2026-12-03"]
        assert shop.look(asked).state == JobState.DONE

    def test_run_housekeeping_an_old_periodic_job_that_a_worker_still_does_is_kept(self, shop: Shop) -> None:
        keep(shop, EVENING)
        shop.work()
        with shop.app.app_context(), tenancy.platform_session("test") as session:
            job_id = session.scalars(select(Job.id).where(Job.kind == "pictures:sweep")).one()
        late = EVENING + timedelta(days=31)
        shop.change(job_id, state=JobState.RUNNING, lease_until=late + timedelta(days=1))

        keep(shop, late)
        with time_machine.travel(late, tick=True):
            shop.work()

        assert shop.look(job_id).state == JobState.RUNNING


class TestHostAhead:
    """A host whose clock is wrong, told from the database's; a SQLite database has the clock of its only host."""

    @pytest.fixture(autouse=True)
    def _postgresql(self, app: Flask) -> Iterator[None]:
        if not app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
            pytest.skip("a SQLite database has one host")
        with database_clock.stays_behind():
            yield

    @pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=1)], ids=str)
    def test_run_housekeeping_on_a_host_that_is_ahead_asks_for_the_nights_of_the_database(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
    ) -> None:
        told = instants.read_clock
        monkeypatch.setattr(handlers, "_handlers", dict(handlers._handlers))
        handlers.every(1, "rehearsal:minute", label="Répétition", summary=lambda result: "")(lambda context: None)

        with shop.app.app_context():
            before = told(db.session())
            with time_machine.travel(clock.utcnow() + ahead):
                run_housekeeping()
            after = told(db.session())

        due = {f"rehearsal:minute@{int(instant.timestamp()) // 60}/1" for instant in (before, after)}
        assert set(period_keys(shop, "rehearsal:minute")) <= due
        with shop.app.app_context(), tenancy.platform_session("test") as session:
            asked = session.scalars(select(Job.created_at)).all()
        assert asked and all(before <= instant <= after for instant in asked)

    @pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=1)], ids=str)
    def test_run_housekeeping_what_a_host_that_is_ahead_deletes_is_as_old_as_the_database_says(
        self, shop: Shop, ahead: timedelta
    ) -> None:
        young = shop.ask("report", None)
        shop.work()
        shop.change(young, period_key="young", created_at=clock.utcnow() - timedelta(days=30) + ahead / 2)

        with time_machine.travel(clock.utcnow() + ahead):
            shop.ask("jobs:purge", None)
            shop.work()

        assert shop.look(young).state == JobState.DONE


class TestEvery:
    def test_every_runs_once_per_period_of_so_many_minutes(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(handlers, "_handlers", dict(handlers._handlers))
        handlers.every(15, "rehearsal:quarter", label="Répétition", summary=lambda result: "")(lambda context: None)

        for minutes in (0, 7, 14, 15, 29, 30):
            keep(shop, EVENING + timedelta(minutes=minutes))

        assert len(period_keys(shop, "rehearsal:quarter")) == 3


class TestHandlers:
    def test_job_handlers_two_handlers_of_one_kind_are_refused(self) -> None:
        with pytest.raises(RuntimeError, match="two handlers"):
            handlers.job("rehearsal:report", label="Autre", summary=lambda result: "")(lambda context: None)
