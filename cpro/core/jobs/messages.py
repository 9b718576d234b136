"""Huey's queues of wake-ups, as this application opens them: imported at the first wake-up, and by workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

_CONNECT_TIMEOUT = 2  # seconds: an action must not wait longer for a Redis that is away
_ANSWER_TIMEOUT = 10  # seconds, above the second during which Huey's worker waits for a message


class _PlainText(Serializer):
    """Write messages as JSON: Huey's own are pickles, which run whatever the queue's owner put in them."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(bytes(data)))


def open_huey(url: str, file: Path) -> Huey:
    """Return Huey: on Redis where a URL says so, else on a file."""
    common = {"name": "cpro", "results": False, "serializer": _PlainText()}
    if not url:
        return SqliteHuey(filename=str(file), **common)
    from redis import ConnectionPool

    pool = ConnectionPool.from_url(url, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_ANSWER_TIMEOUT)
    return RedisHuey(connection_pool=pool, **common)
