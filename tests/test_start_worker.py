"""The worker of `python app.py`: a process of its own, which comes back if it dies and goes when the platform goes."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.platform import Platform, is_alive

PATIENCE = 60  # seconds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked at in /proc"),
]


@pytest.fixture
def platform_(tmp_path: Path) -> Iterator[Platform]:
    """Yield a platform that runs."""
    with Platform(tmp_path) as platform:
        yield platform


def wait_until_gone(number: int) -> None:
    until = time.monotonic() + PATIENCE
    while is_alive(number):
        assert time.monotonic() < until, "the worker is still there"
        time.sleep(0.05)


def count_done(platform: Platform) -> int:
    with sqlite3.connect(platform.database) as database:
        return int(database.execute("SELECT count(*) FROM job WHERE state_value = 'done'").fetchone()[0])


def ask_for_a_job(platform: Platform) -> None:
    """Write a job past the application: whoever works finds it at its next round."""
    with sqlite3.connect(platform.database) as database:
        database.execute(
            "INSERT INTO job (kind, arguments, requested_by, state_value, progress_done, progress_total, "
            "progress_message, attempts, created_at, error) VALUES ('jobs:purge', '{}', "
            '\'{"kind": "system", "id": null, "label": "Test", "role": "system", "origin": ""}\', '
            "'waiting', 0, 0, '', 0, '2026-01-01 00:00:00.000000', '')"
        )


class TestWorkerChild:
    def test_worker_child_works_beside_the_pages_and_comes_back_if_it_dies(self, platform_: Platform) -> None:
        number = platform_.wait_for_worker()
        assert b"worker" in Path(f"/proc/{number}/cmdline").read_bytes()

        os.kill(number, signal.SIGKILL)
        again = platform_.wait_for_worker(other_than=number)
        done = count_done(platform_)
        ask_for_a_job(platform_)
        until = time.monotonic() + PATIENCE
        while count_done(platform_) == done:
            assert time.monotonic() < until, "nobody does the jobs any more"
            time.sleep(0.1)
        mine, its = (os.getpriority(os.PRIO_PROCESS, each) for each in (platform_.number, again))
        behind = 0 if platform_.database_url.startswith("sqlite") else 10
        assert its == min(19, mine + behind), "pages have the processor first, but SQLite's one writer is not held up"

        assert platform_.stop() == 0
        wait_until_gone(again)
        assert "Traceback" not in platform_.complaints

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_worker_child_is_stopped_with_the_platform(self, platform_: Platform, number: int) -> None:
        worker = platform_.wait_for_worker()

        assert platform_.stop(number) == 0

        assert not is_alive(worker), "the platform waits for its worker"
        assert platform_.complaints == ""

    def test_worker_child_goes_by_itself_when_the_platform_is_killed(self, platform_: Platform) -> None:
        worker = platform_.wait_for_worker()

        os.kill(platform_.number, signal.SIGKILL)

        wait_until_gone(worker)

    def test_worker_child_has_the_settings_of_the_platform(self, platform_: Platform) -> None:
        environment = Path(f"/proc/{platform_.wait_for_worker()}/environ").read_bytes()

        assert f"CPRO_INSTANCE={platform_.folder / 'instance'}".encode() in environment
