"""A bad night: Redis and the mail relay away, a worker killed, the database's connections cut; all is done by morning.

Imports killed at any moment are in `tests/imports/apply/test_application_killed.py`.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from bench.campaigns import size_of
from cpro.core import tenancy
from cpro.core.jobs.models import Job, JobState
from cpro.core.mail import MailState
from cpro.students.models import Student
from tests.core.jobs.conftest import Shop
from tests.core.jobs.rehearsal import effect
from tests.core.mail.conftest import Post
from tests.factories import World
from tests.helpers.mail_server import Sink
from tests.helpers.platform import as_serving, free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow]

#: Of the campaign « faults », more are under way.
JOBS = min(3 * size_of("faults"), 30)


def cut_connections(database: str) -> None:
    """Have PostgreSQL end what its serving role holds open; a file of SQLite has no connection to lose."""
    if not database.startswith("postgresql"):
        return
    serving, admin = make_url(as_serving(database)), make_url(os.environ["CPRO_TEST_ADMIN_URL"])
    engine = create_engine(admin.set(database=serving.database))
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :u AND datname = :d"),
            {"u": serving.username, "d": serving.database},
        ).all()
    engine.dispose()
    assert found, "the worker held no connection: the test proved nothing"


class TestBadNight:
    def test_bad_night_nothing_confirmed_is_lost_and_nightly_tasks_are_done_once(
        self, app: Flask, world: World, database: str, worker_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app.extensions["cpro_jobs"].huey.flush()
        shop, post, relay = Shop(app, world, database, worker_folder), Post(app, world), Sink()
        monkeypatch.setitem(app.config, "CPRO_MAIL_URL", relay.url)  # nobody listens there yet
        post.write()
        asked = [shop.ask("arrive", "ab"[number % 2], code=str(number), steps=10) for number in range(JOBS)]
        settings = {
            "CPRO_MAIL_URL": relay.url,
            "CPRO_SECRET_KEY": app.config["SECRET_KEY"],
            "CPRO_JOBS_URL": f"redis://127.0.0.1:{free_port()}/0",
        }

        with shop.workers(**settings) as next_worker:
            victim = next_worker()
            shop.wait(asked[0], "running", "done")
            os.kill(victim, signal.SIGKILL)
            next_worker()
            shop.wait(asked[1], "running", "done")
            cut_connections(database)
            for job_id in asked:
                shop.wait(job_id, "done")
            assert post.row().state is MailState.WAITING
            relay.start()
            try:
                (delivery,) = post.jobs()
                shop.change(delivery.id, not_before=None)  # as if the time of the next try had come
                shop.wait(delivery.id, "done")
            finally:
                relay.stop()
            until = time.monotonic() + 60
            while any(state in (JobState.WAITING, JobState.RUNNING) for _kind, state in self._periodic(app)):
                assert time.monotonic() < until
                time.sleep(0.1)

        assert post.row().state is MailState.SENT
        assert len(relay.taken) == 1
        with app.app_context(), tenancy.platform_session("test") as session:
            arrived = session.execute(
                select(Student.last_name, func.count())
                .where(Student.last_name.startswith("Effet-"))
                .group_by(Student.last_name)
            ).all()
        assert dict(tuple(row) for row in arrived) == {effect(str(number)): 1 for number in range(JOBS)}
        nightly = self._periodic(app)
        assert {state for _kind, state in nightly} <= {JobState.DONE}
        assert all(
            times == 1 for kind, times in Counter(kind for kind, _state in nightly).items() if "sheets" not in kind
        )

    def _periodic(self, app: Flask) -> list[tuple[str, JobState]]:
        with app.app_context(), tenancy.platform_session("test") as session:
            rows = session.execute(select(Job.kind, Job.state).where(Job.period_key.is_not(None)))
            return [(kind, state) for kind, state in rows]
