"""Count requests and time them for Prometheus, where a token lets it ask (`CPRO_METRICS_TOKEN`).

A process counts its own. Under gunicorn each worker writes its figures to files of one folder
(`PROMETHEUS_MULTIPROC_DIR`, set by `deploy/gunicorn.conf.py`), and whichever is asked adds all up.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_REGISTRY = "cpro_request_metrics"
#: Seconds: from a small page to what no one waits for.
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def install(app: Flask) -> None:
    """Count the requests of an application that is watched."""
    if not app.config["CPRO_METRICS_TOKEN"]:
        return
    from prometheus_client import CollectorRegistry, Counter, Histogram  # for the processes that are watched

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
            # An endpoint is one of ours: what was typed in the address is no label.
            requests.labels(_method(), request.endpoint or "", response.status_code).inc()
            seconds.labels(request.blueprint or "").observe(time.perf_counter() - g.request_began)
        return response


def read_requests(app: Flask) -> CollectorRegistry:
    """Return what was counted: by every process of gunicorn, else by this one."""
    from prometheus_client import CollectorRegistry, multiprocess

    own: CollectorRegistry = app.extensions[_REGISTRY]
    if not app.config["PROMETHEUS_MULTIPROC_DIR"]:
        return own
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _method() -> str:
    return request.method if request.method in ("GET", "HEAD", "POST", "OPTIONS") else "other"
