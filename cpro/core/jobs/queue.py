"""Huey's queue, used only to wake a worker when the table of jobs has something to do.

Huey forgets a message once it is taken, and the worker that took it may die: no data depends on it. All messages are
identical; the work is read from the database, which workers also poll by themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cpro.extensions import application

if TYPE_CHECKING:
    from huey import Huey

logger = logging.getLogger(__name__)


class WakeUps:
    """The wake-ups of one application; nothing is opened before the first."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._url = config["CPRO_JOBS_URL"]
        self._file = config["CPRO_INSTANCE"] / "jobs.sqlite3"

    @cached_property
    def huey(self) -> Huey:
        """Return Huey: on Redis if `CPRO_JOBS_URL` is set, else on a file of the instance folder."""
        from cpro.core.jobs.messages import open_huey  # imports Huey and asyncio, and few processes ever wake a worker

        huey = open_huey(self._url, self._file)
        self._task = huey.task(name="look")(_nothing)
        return huey

    def wake(self) -> None:
        """Wake one worker to look for jobs; a queue error is logged and harmless, since workers poll anyway."""
        try:
            assert self.huey is not None  # opens it, and declares its task
            self._task()
        except Exception as error:  # Redis and SQLite each have their own
            logger.warning("the queue did not take a wake-up (%s): a worker will look by itself", type(error).__name__)

    def take_one(self) -> bool:
        """Take a message; return whether there was one: on Redis after one second at most, at once on a file.

        Raises the queue library's own error when the queue is unreachable.
        """
        return self.huey.dequeue() is not None


def _nothing() -> None:
    """Do nothing: messages are taken, the task itself never runs."""


def wake_a_worker() -> None:
    """Wake one worker of the current application to look for jobs."""
    wake_ups: WakeUps = application.flask.extensions["cpro_jobs"]
    wake_ups.wake()
