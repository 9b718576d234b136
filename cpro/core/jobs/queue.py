"""Huey's queues, used for one thing: waking a worker when there is something in the table of jobs.

Huey forgets a message once it is taken, and a worker may die holding it: nothing is ever entrusted to it. All
messages are alike; what is to be done is read from the database, where workers look by themselves now and then.
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
        """Return Huey: on Redis when `CPRO_JOBS_URL` says so, else on a file of the instance folder."""
        from cpro.core.jobs.messages import open_huey  # Huey, and asyncio with it: few processes ever wake a worker

        huey = open_huey(self._url, self._file)
        self._task = huey.task(name="look")(_nothing)
        return huey

    def wake(self) -> None:
        """Wake one worker to look for jobs. A queue that is away is logged and harms nobody: workers look anyway."""
        try:
            assert self.huey is not None  # opened, with its task
            self._task()
        except Exception as error:  # Redis, SQLite: each has its own
            logger.warning("the queue did not take a wake-up (%s): a worker will look by itself", type(error).__name__)

    def take_one(self) -> bool:
        """Return whether a message was there: on Redis after a second's wait at most, at once on a file.

        Raises what the queue's own library raises when it is away.
        """
        return self.huey.dequeue() is not None


def _nothing() -> None:
    """Do nothing: a message is taken, its task never executed."""


def wake_a_worker() -> None:
    """Wake one worker of the current application to look for jobs."""
    wake_ups: WakeUps = application.flask.extensions["cpro_jobs"]
    wake_ups.wake()
