"""The worker process: one thread runs the jobs, the other does the housekeeping."""

from __future__ import annotations

import logging
import os
import platform
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from cpro.core.jobs.housekeeping import beat, run_housekeeping
from cpro.core.jobs.queue import WakeUps
from cpro.core.jobs.runner import Runner

if TYPE_CHECKING:
    from flask import Flask

logger = logging.getLogger(__name__)

#: Seconds between two polls of a file queue (Redis notifies at once).
POLL_EVERY = 0.2
#: Seconds between two polls of the jobs table: wake-ups may be lost, and Redis unreachable.
LOOK_EVERY = 10.0
#: Seconds between two rounds of housekeeping.
HOUSEKEEPING_EVERY = 60.0
#: Seconds given to the current job when the worker must stop; then it is handed back unfinished.
GRACE = 8.0
_STOP_SEEN_WITHIN = 0.1  # seconds
#: Seconds before a queue or a database that did not answer is tried again.
_AWAY_PAUSE = 2.0


class Worker:
    """Run the jobs of an application, one at a time, until asked to stop."""

    def __init__(self, app: Flask, *, takes_signals: bool) -> None:
        self.stop_flag = threading.Event()
        self._app = app
        self._takes_signals = takes_signals
        self._name = f"{platform.node()[:60]}-{os.getpid()}"
        self._signum: int | None = None
        self._wake_ups: WakeUps = app.extensions["cpro_jobs"]
        self._away: set[str] = set()
        self._runner = Runner(app, self.stop_flag)
        self._next_housekeeping = time.monotonic()
        self._working = threading.Thread(target=self._work, name="jobs", daemon=True)

    def run(self) -> None:
        """Work until a signal or `stop_flag`; the current job is finished or handed back, never abandoned."""
        if self._takes_signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._note_signal)
        self._working.start()
        while self._signum is None and not self.stop_flag.is_set() and self._working.is_alive():
            self._run_housekeeping()
            self.stop_flag.wait(_STOP_SEEN_WITHIN)
        self.stop_flag.set()  # the handler stops at its next heartbeat
        self._working.join(GRACE)
        if self._working.is_alive():
            self._runner.hand_back()

    def _work(self) -> None:
        """Run the jobs, at each wake-up and every few seconds, even when the database or the queue is unreachable."""
        while not self.stop_flag.is_set():
            try:
                self._runner.drain()
            except Exception as error:
                self._note_away("the database", error)
                self.stop_flag.wait(_AWAY_PAUSE)
            else:
                self._away.discard("the database")
                self._wait_for_work()

    def _wait_for_work(self) -> None:
        """Return at a wake-up, at the next polling time, or soon if the queue does not answer."""
        until = time.monotonic() + LOOK_EVERY
        while not self.stop_flag.is_set() and time.monotonic() < until:
            began = time.monotonic()
            try:
                is_woken = self._wake_ups.take_one()
            except Exception as error:
                self._note_away("the queue", error)
                self.stop_flag.wait(_AWAY_PAUSE)
                return
            self._away.discard("the queue")
            if is_woken:
                return
            if time.monotonic() - began < POLL_EVERY:  # a file queue; Redis has already waited
                self.stop_flag.wait(POLL_EVERY)

    def _note_away(self, what: str, error: Exception) -> None:
        """Log that something does not answer, once until it has answered again."""
        if what not in self._away:
            logger.error("%s did not answer; it is asked again every %.0f s", what, _AWAY_PAUSE, exc_info=error)
        self._away.add(what)

    def _run_housekeeping(self) -> None:
        if time.monotonic() < self._next_housekeeping:
            return
        self._next_housekeeping = time.monotonic() + HOUSEKEEPING_EVERY
        try:
            with self._app.app_context():
                beat(self._name)
                run_housekeeping()
        except Exception:
            logger.exception("housekeeping failed; it comes again in a minute")

    def _note_signal(self, number: int, frame: object) -> None:
        self._signum = number  # read by run(); setting an event from a signal handler may deadlock


def run_worker(app: Flask, *, is_child: bool = False) -> None:
    """Run a worker until SIGTERM or Ctrl+C or, as a child, until the parent process ends."""
    if hasattr(os, "nice"):
        os.nice(app.config["CPRO_WORKER_NICE"])
    worker = Worker(app, takes_signals=True)
    if is_child:
        threading.Thread(target=_stop_with_parent, args=(worker,), name="parent", daemon=True).start()
    worker.run()


def _stop_with_parent(worker: Worker) -> None:
    """Wait for the end of standard input, which closes however the parent process ends, killed included."""
    # Read unbuffered: this thread would keep the buffer's lock for ever, and block the interpreter's exit.
    while os.read(sys.stdin.fileno(), 1):
        pass
    worker.stop_flag.set()
