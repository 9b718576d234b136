"""The worker of the local platform: a child process, started again if it dies, gone when its parent is.

In a thread, an import would take the interpreter from the pages. Nothing here is peculiar to a system: the child is
asked to stop by the end of its standard input.
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

#: Seconds before a worker that died is started again: the first time, and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
#: Seconds that a worker lives when nothing is wrong with it: what killed it then is news.
_HEALTHY_LIFE = 60.0
_COMMAND = ["-m", "flask", "--app", str(PROJECT_ROOT / "app.py"), "worker", "--child"]


class ChildWorker:
    """A worker in a process of its own, with the settings of this one, until `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process = self._start()
        self._watch = threading.Thread(target=self._supervise, name="worker", daemon=True)
        self._watch.start()

    @property
    def number(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    def stop(self) -> None:
        """Ask the worker to stop, and wait for it: the job at hand is handed back."""
        self._stopping.set()
        self._end(self._process)
        self._watch.join()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *_COMMAND], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def _supervise(self) -> None:
        """Start the worker again each time it dies, after a pause that grows until one has lived long enough."""
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
            if self._stopping.is_set():  # asked to stop while the new one was being started
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
