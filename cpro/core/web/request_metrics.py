"""Count and time requests for Prometheus, if a token allows it to scrape them (`CPRO_METRICS_TOKEN`).

Each process counts its own requests. Under gunicorn each worker writes its figures to files of one folder
(`PROMETHEUS_MULTIPROC_DIR`, set by `deploy/gunicorn.conf.py`), and the worker that is scraped adds them up.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_REGISTRY = "cpro_request_metrics"
#: Seconds: from a small page to longer than any user waits.
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def install(app: Flask) -> None:
    """Count the requests of an application that has a token."""
    if not app.config["CPRO_METRICS_TOKEN"]:
        return
    from prometheus_client import CollectorRegistry, Counter, Histogram  # only needed with metrics

    registry = app.extensions[_REGISTRY] = CollectorRegistry()
    requests = Counter("cpro_requests", "Requests answered.", ("method", "endpoint", "status"), registry=registry)
    seconds = Histogram(
        "cpro_request_seconds",
        "Seconds from a request to the beginning of its answer.",
        ("feature",),
        buckets=_BUCKETS,
        registry=registry,
    )

    @app.after_request
    def count(response: Response) -> Response:
        if "request_began" in g and request.endpoint != "static":
            # The endpoint, never the requested URL: a label must not contain user input.
            requests.labels(_method(), request.endpoint or "", response.status_code).inc()
            seconds.labels(request.blueprint or "").observe(time.perf_counter() - g.request_began)
        return response


def read_requests(app: Flask) -> CollectorRegistry:
    """Return the counts of all gunicorn processes, or of this one."""
    from prometheus_client import CollectorRegistry, multiprocess

    own: CollectorRegistry = app.extensions[_REGISTRY]
    if not app.config["PROMETHEUS_MULTIPROC_DIR"]:
        return own
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _method() -> str:
    return request.method if request.method in ("GET", "HEAD", "POST", "OPTIONS") else "other"
