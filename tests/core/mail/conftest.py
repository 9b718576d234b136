"""A real mail server on this machine, and a worker's runner whose clock tests move."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cpro.core import clock, tenancy
from cpro.core.jobs.models import Job
from cpro.core.jobs.runner import Runner
from cpro.core.mail import Mail, MailMessage, enqueue
from cpro.core.mail.operations import DELIVER
from cpro.core.transactions import platform_unit_of_work
from tests.factories import TESTER, World
from tests.helpers.mail_server import Sink

#: What no row, log or page may hold.
SECRET = "K7QD-93XM-ZT4B"


@pytest.fixture
def sink(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """Return a mail server that listens, and to which this application sends."""
    server = Sink()
    server.start()
    monkeypatch.setitem(app.config, "CPRO_MAIL_URL", server.url)
    yield server
    server.stop()


class Post:
    """The table of messages: write one, have the worker work, look."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world

    def write(self, school: str | None = "a", **values: Any) -> int:
        """Write a message of a school, or of the platform; return its number."""
        mail = Mail(**{"to": "chef@alpha.example", "subject": "Un code", "body": f"Code : {SECRET}\n", **values})
        where = self.world.school(school).id if school else None
        with self.app.app_context(), platform_unit_of_work("test") as work:
            about = ("account", 1)
            return enqueue(
                mail, by=TESTER, now=clock.utcnow(), session=work.session, establishment_id=where, about=about
            ).id

    def work(self) -> None:
        """Do every job that is due, as a worker does."""
        Runner(self.app, threading.Event()).drain()

    def rows(self) -> list[MailMessage]:
        """Return every message, all schools."""
        return self._all(MailMessage)

    def row(self) -> MailMessage:
        """Return the only message."""
        (message,) = self.rows()
        return message

    def jobs(self) -> list[Job]:
        """Return the jobs that deliver."""
        return [job for job in self._all(Job) if job.kind == DELIVER]

    def _all(self, model: Any) -> list[Any]:
        with self.app.app_context(), tenancy.platform_session("test") as session:
            return list(session.scalars(select(model).order_by(model.id)))


@pytest.fixture
def post(app: Flask, world: World) -> Post:
    """Return the table of messages."""
    return Post(app, world)
