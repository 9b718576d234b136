"""Huey, used for one thing: waking a worker when there is something in the table of jobs.

Huey forgets a message once it is taken, and a worker may die holding it: nothing is ever entrusted to it. All
messages are alike; what is to be done is read from the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from cpro.extensions import application

_CONNECT_TIMEOUT = 2  # seconds: an action must not wait longer for a Redis that is away
_ANSWER_TIMEOUT = 10  # seconds, above the second during which Huey's worker waits for a message


class _PlainText(Serializer):
    """Write messages as JSON: Huey's own are pickles, which run whatever the queue's owner put in them."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(bytes(data)))


class WakeUps:
    """The wake-ups of one application; nothing is opened before the first."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._url = config["CPRO_JOBS_URL"]
        self._file = config["CPRO_INSTANCE"] / "jobs.sqlite3"
        self._work: Callable[[], object] = _nothing

    @cached_property
    def huey(self) -> Huey:
        """Return Huey: on Redis when `CPRO_JOBS_URL` says so, else on a file of the instance folder."""
        huey = self._open()
        self._task = huey.task(name="look")(lambda: self._work())
        return huey

    def wake(self) -> None:
        """Wake one worker to look for jobs. Losing the signal is harmless: the sweep comes each minute."""
        assert self.huey is not None  # opened, with its task
        self._task()

    def do_on_wake(self, work: Callable[[], object]) -> None:
        """Make this process a worker: what it does when it is woken."""
        self._work = work

    def _open(self) -> Huey:
        common = {"name": "cpro", "results": False, "serializer": _PlainText()}
        if not self._url:
            return SqliteHuey(filename=str(self._file), **common)
        from redis import ConnectionPool

        pool = ConnectionPool.from_url(
            self._url, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_ANSWER_TIMEOUT
        )
        return RedisHuey(connection_pool=pool, **common)


def _nothing() -> None:
    """Do nothing: only workers take messages."""


def wake_a_worker() -> None:
    """Wake one worker of the current application to look for jobs."""
    wake_ups: WakeUps = application.flask.extensions["cpro_jobs"]
    wake_ups.wake()
