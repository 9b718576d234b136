"""The worker of the local platform: a child process, restarted if it dies, ended with its parent.

In a thread, an import would slow down the pages, because of the interpreter lock. Nothing here depends on the
operating system: closing the child's standard input asks it to stop.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time

from cpro.config import PROJECT_ROOT
from cpro.core.jobs.worker import GRACE

logger = logging.getLogger(__name__)

#: Seconds before a dead worker is restarted: the first time, and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
#: A worker that lived this many seconds was healthy: the restart pause is reset.
_HEALTHY_LIFE = 60.0
_COMMAND = ["-m", "flask", "--app", str(PROJECT_ROOT / "app.py"), "worker", "--child"]


class ChildWorker:
    """A worker in its own process, with this process's settings, until `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process = self._start()
        self._watch = threading.Thread(target=self._supervise, name="worker", daemon=True)
        self._watch.start()

    @property
    def number(self) -> int:
        """Return the process id."""
        return self._process.pid

    def stop(self) -> None:
        """Ask the worker to stop, and wait for it; its current job goes back to the queue."""
        self._stopping.set()
        self._end(self._process)
        self._watch.join()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *_COMMAND], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def _supervise(self) -> None:
        """Restart the worker each time it dies, after a pause that grows until a worker has lived long enough."""
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            status = self._process.wait()
            _close_input(self._process)
            if time.monotonic() - began >= _HEALTHY_LIFE:
                pause = _FIRST_PAUSE
            if self._stopping.is_set():
                return
            logger.error("the worker ended (status %s); it is started again in %.0f s", status, pause)
            if self._stopping.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._process = self._start()
            if self._stopping.is_set():  # asked to stop while the new one was starting
                self._end(self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        _close_input(process)
        try:
            process.wait(GRACE + 4)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
