"""Huey, used for one thing: waking a worker when there is something in the table of jobs.

Huey forgets a message once it is taken, and a worker may die holding it: nothing is ever entrusted to it. All
messages are alike; what is to be done is read from the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cpro.extensions import application

if TYPE_CHECKING:
    from huey import Huey


class WakeUps:
    """The wake-ups of one application; nothing is opened before the first."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._url = config["CPRO_JOBS_URL"]
        self._file = config["CPRO_INSTANCE"] / "jobs.sqlite3"
        self._work: Callable[[], object] = _nothing

    @cached_property
    def huey(self) -> Huey:
        """Return Huey: on Redis when `CPRO_JOBS_URL` says so, else on a file of the instance folder."""
        from cpro.core.jobs.messages import open_huey  # Huey, and asyncio with it: few processes ever wake a worker

        huey = open_huey(self._url, self._file)
        self._task = huey.task(name="look")(lambda: self._work())
        return huey

    def wake(self) -> None:
        """Wake one worker to look for jobs. Losing the signal is harmless: the sweep comes each minute."""
        assert self.huey is not None  # opened, with its task
        self._task()

    def do_on_wake(self, work: Callable[[], object]) -> None:
        """Make this process a worker: what it does when it is woken."""
        self._work = work


def _nothing() -> None:
    """Do nothing: only workers take messages."""


def wake_a_worker() -> None:
    """Wake one worker of the current application to look for jobs."""
    wake_ups: WakeUps = application.flask.extensions["cpro_jobs"]
    wake_ups.wake()
