"""Open Huey's wake-up queues; imported by workers, and at the first wake-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huey import Huey, RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

_CONNECT_TIMEOUT = 2  # seconds: an action must not wait longer for an unreachable Redis
_ANSWER_TIMEOUT = 10  # seconds: more than the one second during which Huey's worker waits for a message


class _PlainText(Serializer):
    """Serialise messages as JSON: Huey's default is pickle, which lets the queue's owner run any code."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(bytes(data)))


def open_huey(url: str, file: Path) -> Huey:
    """Return Huey, on Redis if a URL is given, else on a file."""
    common = {"name": "cpro", "results": False, "serializer": _PlainText()}
    if not url:
        return SqliteHuey(filename=str(file), **common)
    from redis import ConnectionPool

    pool = ConnectionPool.from_url(url, socket_connect_timeout=_CONNECT_TIMEOUT, socket_timeout=_ANSWER_TIMEOUT)
    return RedisHuey(connection_pool=pool, **common)
