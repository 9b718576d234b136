"""A real Redis server on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers.platform import free_port

_PATIENCE = 180  # seconds: an upper bound for a loaded machine, no measure


class RedisServer:
    """A Redis server at a port of its own, which may come and go; running inside a `with`."""

    def __init__(self, folder: Path) -> None:
        self._program, self._folder, self._port = _find_program(), folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the value of `CPRO_JOBS_URL`, whether it runs or not."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        from redis import Redis
        from redis.exceptions import ConnectionError as Away

        self._process = subprocess.Popen(
            [self._program, "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + _PATIENCE
        with Redis(port=self._port) as client:
            while True:
                try:
                    client.ping()
                    return
                except Away:
                    assert time.monotonic() < until
                    time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, with what it holds."""
        if self._process:
            self._process.terminate()
            self._process.wait(_PATIENCE)
            self._process = None

    def wait_until_listened(self) -> None:
        """Wait until a worker waits for a message."""
        from redis import Redis

        until = time.monotonic() + _PATIENCE
        with Redis.from_url(self.url) as client:
            while not any("b" in each["flags"] for each in client.client_list()):
                assert time.monotonic() < until, "no worker listens"
                time.sleep(0.05)


def _find_program() -> str:
    program = shutil.which("redis-server")
    if program:
        return program
    missing = "redis-server is not installed (Debian: apt-get install redis-server)"
    if os.environ.get("CPRO_REQUIRE_REDIS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)
