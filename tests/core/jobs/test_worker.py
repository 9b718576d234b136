"""Real workers: killed at any moment, stopped politely, two at once, on Redis."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from bench.campaigns import size_of
from cpro import create_app
from cpro.config import UnusableSetting, load_settings
from cpro.core import tenancy
from cpro.core.jobs import worker
from cpro.core.jobs.models import JobState
from cpro.extensions import db
from cpro.students.models import Student
from tests.core.jobs import rehearsal
from tests.core.jobs.conftest import PATIENCE, Shop
from tests.core.jobs.rehearsal import effect
from tests.helpers.platform import PROJECT_ROOT, free_port
from tests.helpers.redis_server import RedisServer

pytestmark = pytest.mark.slow

KILLS = size_of("workers-killed")


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "HOUSEKEEPING_EVERY", 0.3)
    monkeypatch.setattr(worker, "POLL_EVERY", 0.05)
    monkeypatch.setattr(worker, "_AWAY_PAUSE", 0.2)


@contextmanager
def in_thread(app: Flask) -> Iterator[None]:
    """Work in a thread of this process, where a test sees what it does."""
    running = worker.Worker(app, takes_signals=False)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        running.stop_flag.set()
        thread.join(worker.GRACE + 2)


def arrivals(shop: Shop) -> dict[str, int]:
    """Return how often each effect took place."""
    with shop.app.app_context(), tenancy.platform_session("test") as session:
        rows = session.execute(
            select(Student.last_name, func.count(Student.id))
            .where(Student.last_name.startswith("Effet-"))
            .group_by(Student.last_name)
        )
        return {name: count for name, count in rows}


def _await_handlers() -> None:
    """Wait until no thread of this process runs a handler any more."""
    until = time.monotonic() + PATIENCE
    while rehearsal.asleep:
        assert time.monotonic() < until
        time.sleep(0.05)


class TestKilledWorkers:
    def test_worker_killed_at_random_nothing_is_lost_nor_done_twice(self, shop: Shop) -> None:
        chance = random.Random(20261123)
        codes = [f"{number:02}" for number in range(4 * KILLS)]
        jobs = [shop.ask("arrive", "ab"[number % 2], code=code, steps=number % 8) for number, code in enumerate(codes)]

        with shop.workers() as next_worker:
            for _ in range(KILLS):
                number = next_worker()
                time.sleep(chance.uniform(0.15, 0.9))
                os.kill(number, signal.SIGKILL)
            next_worker()
            for job_id in jobs:
                shop.wait(job_id, "done")

        assert arrivals(shop) == {effect(code): 1 for code in codes}
        attempts = sum(shop.look(job_id).attempts for job_id in jobs)
        assert attempts > len(jobs), "no worker was killed at work: the test proved nothing"

    def test_worker_killed_around_the_commit_the_effect_and_the_end_agree(self, shop: Shop) -> None:
        moments = {
            "before the effect": 2,
            "between the effect and the end": 2,
            "before the commit": 2,
            "after the commit": 1,
        }
        jobs = {moment: shop.ask("die", code=moment, moment=moment) for moment in moments}

        with shop.workers() as next_worker:
            for _ in range(len(moments) + 1):
                next_worker()
            for job_id in jobs.values():
                shop.wait(job_id, "done")

        assert arrivals(shop) == {effect(moment): 1 for moment in moments}
        assert {moment: shop.look(job_id).attempts for moment, job_id in jobs.items()} == moments

    def test_worker_a_silent_worker_cannot_end_a_job_another_took(self, shop: Shop) -> None:
        with in_thread(shop.app):
            job_id = shop.ask("sleep", seconds=8)  # long enough for a loaded machine to see that the lease is over
            shop.wait(job_id, "running")
            shop.wait(job_id, "waiting")  # its lease is over, and the thread still sleeps in its handler
            shop.work()
            assert (shop.look(job_id).state, arrivals(shop)) == (JobState.DONE, {effect("dormeur"): 1})
            _await_handlers()

        assert (shop.look(job_id).attempts, arrivals(shop)) == (2, {effect("dormeur"): 1})


class TestWorkerStops:
    def test_worker_stops_on_sigterm_and_hands_the_job_back(self, shop: Shop) -> None:
        job_id = shop.ask("last")

        with shop.workers() as next_worker:
            number = next_worker()
            shop.wait(job_id, "running")
            os.kill(number, signal.SIGTERM)

        job = shop.look(job_id)
        assert (job.state, job.attempts) == (JobState.WAITING, 0)
        shop.change(job_id, arguments={"seconds": 0})
        shop.work()
        assert shop.look(job_id).result == {"attempt": 1}

    def test_worker_command_the_command_works_and_stops_on_sigterm(self, shop: Shop) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "worker"],
            cwd=PROJECT_ROOT,
            env=shop.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            assert "démarré" in process.stdout.readline()
            shop.wait(shop.ask("pictures:sweep", None), "done")
            process.send_signal(signal.SIGTERM)
            _output, complaints = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            process.wait()

        assert (process.returncode, complaints) == (0, "")

    def test_worker_a_thread_stops_at_once_and_hands_back(self, shop: Shop) -> None:
        with in_thread(shop.app):
            job_id = shop.ask("last")
            shop.wait(job_id, "running")
            began = time.monotonic()

        assert time.monotonic() - began < worker.GRACE
        assert shop.look(job_id).state == JobState.WAITING

    def test_worker_a_silent_handler_does_not_hold_the_process(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker, "GRACE", 0.2)
        with in_thread(shop.app):
            job_id = shop.ask("sleep", seconds=1.5)
            shop.wait(job_id, "running")

        assert shop.look(job_id).state == JobState.WAITING
        _await_handlers()
        assert (shop.look(job_id).state, arrivals(shop)) == (JobState.WAITING, {})


class TestWorkerThread:
    def test_worker_thread_it_does_what_is_asked(self, shop: Shop) -> None:
        with in_thread(shop.app):
            jobs = [shop.ask("arrive", "ab"[number % 2], code=f"{number}") for number in range(6)]
            for job_id in jobs:
                shop.wait(job_id, "done")

        assert set(arrivals(shop).values()) == {1}

    def test_worker_thread_two_workers_never_run_two_exclusive_jobs_of_a_school(self, shop: Shop) -> None:
        with in_thread(shop.app), shop.workers() as next_worker:
            next_worker()
            ids = [shop.ask("last", seconds=0.3) for _ in range(4)]
            for job_id in ids:
                shop.wait(job_id, "done")

        jobs = sorted((shop.look(job_id) for job_id in ids), key=lambda job: job.started_at)
        assert all(earlier.finished_at <= later.started_at for earlier, later in pairwise(jobs))


class TestWorkerOnRedis:
    def test_worker_a_real_redis_wakes_the_worker(
        self, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker, "LOOK_EVERY", 3600.0)
        with RedisServer(tmp_path) as redis:
            app = create_app({**shop.app.config, "CPRO_JOBS_URL": redis.url})
            redis_shop = Shop(app, shop.world, shop.database, shop.folder)
            with in_thread(app):
                redis.wait_until_listened()  # housekeeping at the start is over: only a wake-up brings the job
                job_id = redis_shop.ask("arrive", code="redis")
                redis_shop.wait(job_id, "done")
            app.extensions["cpro_jobs"].huey.storage.pool.disconnect()
            with app.app_context():
                db.engine.dispose()

        assert arrivals(shop) == {effect("redis"): 1}

    def test_worker_works_on_while_redis_is_away_and_is_woken_once_it_is_back(
        self, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(worker, "LOOK_EVERY", 3600.0)
        redis = RedisServer(tmp_path)
        app = create_app({**shop.app.config, "CPRO_JOBS_URL": redis.url})
        redis_shop = Shop(app, shop.world, shop.database, shop.folder)

        with in_thread(app):
            redis_shop.wait(redis_shop.ask("arrive", code="never there"), "done")
            with redis:
                redis_shop.wait(redis_shop.ask("arrive", code="there"), "done")
                redis.wait_until_listened()
            redis_shop.wait(redis_shop.ask("arrive", code="gone"), "done")
            with redis:
                redis.wait_until_listened()
                redis_shop.wait(redis_shop.ask("arrive", code="back"), "done")
                told = [each for each in caplog.records if each.message.startswith("the queue did not answer")]
        app.extensions["cpro_jobs"].huey.storage.pool.disconnect()
        with app.app_context():
            db.engine.dispose()

        assert set(arrivals(shop)) == {effect(code) for code in ("never there", "there", "gone", "back")}
        assert 1 <= len(told) <= 3, "once each time it goes away, not at each look"

    def test_worker_a_redis_that_is_away_loses_nothing(self, shop: Shop) -> None:
        app = create_app({**shop.app.config, "CPRO_JOBS_URL": f"redis://127.0.0.1:{free_port()}/0"})

        job_id = Shop(app, shop.world, shop.database, shop.folder).ask("report")

        with app.app_context():
            db.engine.dispose()
        shop.work()
        assert shop.look(job_id).state == JobState.DONE

    @pytest.mark.parametrize("url", ["amqp://host", "127.0.0.1:6379", "REDIS"])
    def test_load_settings_another_address_is_refused_in_a_sentence(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(UnusableSetting, match="CPRO_JOBS_URL"):
            load_settings({"CPRO_JOBS_URL": url, "CPRO_INSTANCE": str(tmp_path)})

    def test_load_settings_without_the_package_a_sentence_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cpro.config.find_spec", lambda name: None)
        with pytest.raises(UnusableSetting, match=r"requirements-redis\.txt"):
            load_settings({"CPRO_JOBS_URL": "redis://127.0.0.1", "CPRO_INSTANCE": str(tmp_path)})
