"""What the tests of jobs share: asking for one, doing them here, looking at them, workers beside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cpro.core import clock, tenancy
from cpro.core.jobs import operations
from cpro.core.jobs.models import Job
from cpro.core.jobs.runner import Runner
from cpro.core.transactions import platform_unit_of_work
from tests.core.jobs import rehearsal as _handlers  # noqa: F401  # known once imported
from tests.factories import TESTER, World
from tests.helpers.platform import PROJECT_ROOT, as_serving, environment

PATIENCE = 180  # seconds: an upper bound for a loaded machine, no measure


class Shop:
    """The table of jobs of one application: ask, do, look."""

    def __init__(self, app: Flask, world: World, database: str, folder: Path) -> None:
        self.app, self.world, self.database, self.folder = app, world, database, folder
        self.stopping = threading.Event()

    def ask(self, kind: str, school: str | None = "a", /, **arguments: Any) -> int:
        """Ask for a job of school "a" or "b", or of the platform; return its number. Rehearsals go without prefix."""
        where = self.world.school(school).id if school else None
        with self.app.app_context(), platform_unit_of_work("test") as work:
            job = operations.enqueue(
                kind if ":" in kind else f"rehearsal:{kind}",
                arguments,
                by=TESTER,
                now=clock.utcnow(),
                session=work.session,
                establishment_id=where,
            )
            return job.id

    def work(self) -> None:
        """Do every job there is, here and now."""
        Runner(self.app, self.stopping).drain()

    def look(self, job_id: int) -> Job:
        """Return a job as it is stored now."""
        with self.app.app_context(), tenancy.platform_session("test") as session:
            return session.get_one(Job, job_id)

    def change(self, job_id: int, **values: Any) -> None:
        """Change columns of a job."""
        with self.app.app_context(), platform_unit_of_work("test") as work:
            job = work.session.get_one(Job, job_id)
            for name, value in values.items():
                setattr(job, name, value)

    def wait(self, job_id: int, *states: str) -> Job:
        """Wait until a job is in one of the states."""
        until = time.monotonic() + PATIENCE
        while (job := self.look(job_id)).state.value not in states:
            assert time.monotonic() < until, f"job {job_id} is still {job.state}, not {states}"
            time.sleep(0.05)
        return job

    def environment(self, **settings: str) -> dict[str, str]:
        """Return the environment of a process that works on the same database."""
        return environment(
            self.folder,
            CPRO_INSTANCE=str(self.folder),
            CPRO_UPLOADS=str(self.folder / "uploads"),
            CPRO_DATABASE_URL=as_serving(self.database),
            **settings,
        )

    @contextmanager
    def workers(self, **settings: str) -> Iterator[Callable[[], int]]:
        """Start workers in processes of their own, a new one whenever one is killed; yield what waits for the next."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.core.jobs.rehearsal"],
            cwd=PROJECT_ROOT,
            env=self.environment(**settings),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        numbers: list[int] = []

        def next_number() -> int:
            assert process.stdout
            numbers.append(int(process.stdout.readline()))
            return numbers[-1]

        try:
            yield next_number
            if process.poll() is None and numbers:
                os.kill(numbers[-1], signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def shop(app: Flask, world: World, database: str, worker_folder: Path) -> Iterator[Shop]:
    """Return the table of jobs, with an empty queue of wake-ups."""
    app.extensions["cpro_jobs"].huey.flush()
    yield Shop(app, world, database, worker_folder)
