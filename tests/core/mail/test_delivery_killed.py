"""A worker killed while it sends: nothing is lost, and a server gets one message too many at most."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from cpro.core import clock
from cpro.core.mail import MailState
from tests.core.jobs.conftest import Shop
from tests.core.mail.conftest import Post, Sink
from tests.factories import World

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("moment", "copies"), [("at_recipient", 1), ("before_answer", 2)])
def test_deliver_a_killed_worker_loses_nothing(
    app: Flask,
    world: World,
    database: str,
    worker_folder: Path,
    post: Post,
    sink: Sink,
    moment: str,
    copies: int,
) -> None:
    shop = Shop(app, world, database, worker_folder)
    app.extensions["cpro_jobs"].huey.flush()
    post.write()
    (job,) = post.jobs()
    settings = {"CPRO_MAIL_URL": sink.url, "CPRO_SECRET_KEY": app.config["SECRET_KEY"]}

    with shop.workers(**settings) as next_worker:
        victim = next_worker()

        def kill() -> None:
            setattr(sink, moment, lambda: None)
            os.kill(victim, signal.SIGKILL)
            shop.change(job.id, lease_until=clock.utcnow() - timedelta(seconds=1))  # long after

        setattr(sink, moment, kill)
        next_worker()
        shop.wait(job.id, "done")

    assert post.row().state is MailState.SENT
    assert len(sink.taken) == copies
    assert len({message["Message-ID"] for message in sink.taken}) == 1, "the receiver recognises the copy"
