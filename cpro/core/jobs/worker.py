"""The worker: Huey's consumer around our runner, in a process of its own."""

from __future__ import annotations

import logging
import os
import platform
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from huey.consumer import Consumer

from cpro.core.jobs.housekeeping import beat, run_housekeeping
from cpro.core.jobs.queue import WakeUps
from cpro.core.jobs.runner import Runner

if TYPE_CHECKING:
    from flask import Flask

logger = logging.getLogger(__name__)

#: Seconds between two looks at a file of messages (Redis signals at once).
POLL_EVERY = 0.2
#: Seconds between two rounds of housekeeping.
HOUSEKEEPING_EVERY = 60.0
#: Seconds left to the job at hand when the worker is asked to stop; then it is handed back as it stands.
GRACE = 8.0
_SLOWEST_RETRY = 30.0  # seconds


class Worker(Consumer):
    """Do the jobs of an application, one at a time, until told to stop.

    Huey's consumer sets signal handlers, which Python refuses outside the main thread, and executes itself anew on
    SIGHUP: here signals are taken only where asked, and only to stop.
    """

    _signum: int | None

    def __init__(self, app: Flask, *, takes_signals: bool) -> None:
        self._app = app
        self._takes_signals = takes_signals
        self._name = f"{platform.node()[:60]}-{os.getpid()}"
        self._next_housekeeping = time.monotonic()
        wake_ups: WakeUps = app.extensions["cpro_jobs"]
        wakes_at_once = wake_ups.huey.storage.blocking  # Redis: the delays below are those between two failures
        super().__init__(
            wake_ups.huey,
            workers=1,
            periodic=False,  # our own are rows of the database
            initial_delay=POLL_EVERY,
            backoff=2 if wakes_at_once else 1,
            max_delay=_SLOWEST_RETRY if wakes_at_once else POLL_EVERY,
            scheduler_interval=60,
            shutdown_timeout=GRACE,
        )
        self._runner = Runner(app, self.stop_flag)
        wake_ups.do_on_wake(self._runner.drain)

    def run(self) -> None:
        """Work until a signal, or `stop_flag`; the job at hand is finished or handed back, never left in the air."""
        self.start()
        while self._signum is None and not self.stop_flag.is_set():
            self._run_housekeeping()
            self.stop_flag.wait(self._stop_flag_timeout)
        self.stop_flag.set()  # the handler ends at its next heartbeat
        if not self._join_workers():
            self._runner.hand_back()

    def _run_housekeeping(self) -> None:
        if time.monotonic() < self._next_housekeeping:
            return
        self._next_housekeeping = time.monotonic() + HOUSEKEEPING_EVERY
        self.check_worker_health()
        try:
            with self._app.app_context():
                beat(self._name)
                run_housekeeping()
        except Exception:
            logger.exception("housekeeping failed; it comes again in a minute")

    def _set_signal_handlers(self) -> None:
        if self._takes_signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._note_signal)

    def _note_signal(self, number: int, frame: object) -> None:
        self._signum = number  # read by run(); setting an event from a signal handler may deadlock


def run_worker(app: Flask, *, is_child: bool = False) -> None:
    """Be a worker until SIGTERM or Ctrl+C; a child, until the process that started it is gone as well."""
    if hasattr(os, "nice"):
        os.nice(app.config["CPRO_WORKER_NICE"])  # pages, which people wait for, have the processor first
    worker = Worker(app, takes_signals=True)
    if is_child:
        threading.Thread(target=_stop_with_parent, args=(worker,), name="parent", daemon=True).start()
    worker.run()


def _stop_with_parent(worker: Worker) -> None:
    """Wait for the end of standard input, which the parent holds: it ends however the parent ends, killed included."""
    # Past the buffer, whose lock a thread that waits for ever would keep from the interpreter's end.
    while os.read(sys.stdin.fileno(), 1):
        pass
    worker.stop_flag.set()
