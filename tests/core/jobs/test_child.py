"""The pauses of the local platform's worker: longer each time it dies at once, short again once it has lived."""

from __future__ import annotations

import logging
import os
import signal
import time

import pytest

from cpro.core.jobs import child
from cpro.core.jobs.child import ChildWorker

PATIENCE = 60  # seconds

pytestmark = pytest.mark.integration


def kill(worker: ChildWorker) -> None:
    """Kill the process, and wait for the one that takes its place."""
    number, until = worker.number, time.monotonic() + PATIENCE
    os.kill(number, getattr(signal, "SIGKILL", signal.SIGTERM))
    while worker.number == number:
        assert time.monotonic() < until, "the worker is not started again"
        time.sleep(0.01)


class TestChildWorker:
    def test_child_worker_a_long_life_makes_the_pause_short_again(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(child, "_COMMAND", ["-c", "import sys; sys.stdin.read()"])
        monkeypatch.setattr(child, "_FIRST_PAUSE", 0.01)
        worker = ChildWorker()
        try:
            with caplog.at_level(logging.ERROR, logger=child.__name__):
                kill(worker)
                kill(worker)
                kill(worker)
                monkeypatch.setattr(child, "_HEALTHY_LIFE", 0.0)
                kill(worker)
        finally:
            worker.stop()

        assert [record.args[1] for record in caplog.records if record.args] == [0.01, 0.02, 0.04, 0.01]
