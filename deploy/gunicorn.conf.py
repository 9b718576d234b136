"""How gunicorn serves CPro: `gunicorn --config deploy/gunicorn.conf.py app:app`, from the program's folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from gunicorn.glogging import Logger

bind = "127.0.0.1:8000"
#: Processes; two a core. A worker's threads wait for the database and for slow downloads, gunicorn's usual ones cannot.
workers = 4
worker_class = "gthread"
threads = 8
#: Workers share what the start made.
preload_app = True
#: Seconds without a sign of life of the process, not of an answer: threads give them.
timeout = 60
#: Seconds left to what is being answered when the service stops or is started again.
graceful_timeout = 30
keepalive = 5
#: A worker is replaced after so many requests, not all at the same moment.
max_requests = 5000
max_requests_jitter = 500
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
#: CPro logs each request itself, in JSON.
accesslog = None


class OneLog(Logger):
    """Leave gunicorn's own lines to the one configuration of all logs: JSON on standard error."""

    def setup(self, cfg: Any) -> None:
        """Take the handlers of gunicorn's away, and have its lines reach ours, from the first one on."""
        from cpro.core.logs import configure_logs

        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        configure_logs()


logger_class = OneLog

if os.environ.get("CPRO_METRICS_TOKEN") and not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="cpro-metrics-")


def child_exit(server: Any, worker: Any) -> None:
    """Keep what a worker counted, and forget that it lives."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Remove the figures of a service that stops."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if os.path.basename(folder).startswith("cpro-metrics-"):
        shutil.rmtree(folder, ignore_errors=True)
