"""Metrics for Prometheus: requests as counted by each process, the rest as read from the database by any process.

Labels are states, endpoints and features, never a school or a person.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cpro.config import VERSION
from cpro.core import tenancy
from cpro.core.jobs import instants
from cpro.core.jobs import queries as jobs
from cpro.core.mail import queries as mails
from cpro.core.web.request_metrics import read_requests
from cpro.imports.queries import count_runs_by_state
from cpro.users.operations.throttle import count_failing

#: The period over which failed sign-ins are counted.
_RECENT = timedelta(minutes=15)


def render_metrics(app: Flask, uploads: Path) -> bytes:
    """Return every metric, in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(_Figures(uploads))
    return generate_latest(read_requests(app)) + generate_latest(registry)


class _Figures(Collector):
    """The metrics read from the database and the store, on request."""

    def __init__(self, uploads: Path) -> None:
        self._uploads = uploads

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics; those of the database only when it answers."""
        yield _gauge("cpro_build_info", "The version that runs.", 1, version=VERSION)
        yield from _list_store(self._uploads)
        figures: list[Metric] = []
        try:
            with tenancy.platform_session("metrics") as session:
                now = instants.read_clock(session)
                for read in (_list_jobs, _list_mails, _list_imports, _list_sign_ins):
                    figures += read(session, now)
        except SQLAlchemyError:
            figures.clear()
        yield _gauge("cpro_database_up", "Whether the database answered.", 1 if figures else 0)
        yield from figures


def _list_store(uploads: Path) -> Iterator[Metric]:
    try:
        yield _gauge("cpro_store_free_bytes", "Bytes left where files are kept.", shutil.disk_usage(uploads).free)
    except OSError:
        return  # a missing metric raises an alert


def _list_jobs(session: Session, now: datetime) -> Iterator[Metric]:
    yield _by_state("cpro_jobs", "Jobs, by state.", jobs.count_by_state(session))
    oldest = jobs.find_oldest_due(session, now)
    yield _age("cpro_job_wait_seconds", "Age of the oldest job that may begin; 0 where none waits.", oldest, now)
    began = jobs.find_oldest_running(session)
    yield _age("cpro_job_run_seconds", "Age of the job that has run for longest; 0 where none runs.", began, now)
    workers = jobs.count_workers(session, now)
    yield _gauge("cpro_workers", "Workers that gave a sign of life in the last three minutes.", workers)


def _list_mails(session: Session, now: datetime) -> Iterator[Metric]:
    yield _by_state("cpro_mails", "E-mails of the last 30 days, by state.", mails.count_by_state(session))
    oldest = mails.find_oldest_waiting(session)
    yield _age("cpro_mail_wait_seconds", "Age of the oldest e-mail that waits; 0 where none does.", oldest, now)


def _list_imports(session: Session, _now: datetime) -> Iterator[Metric]:
    yield _by_state("cpro_imports", "Imports, by state.", count_runs_by_state(session))


def _list_sign_ins(session: Session, now: datetime) -> Iterator[Metric]:
    failing, blocked = count_failing(session, since=now - _RECENT)
    about = "accounts, addresses and browsers where a sign-in failed in the last quarter of an hour"
    yield _gauge("cpro_sign_in_failing", f"How many {about}.", failing)
    yield _gauge("cpro_sign_in_blocked", f"How many of those {about} ten times or more.", blocked)


def _gauge(name: str, about: str, value: float, **labels: str) -> Metric:
    gauge = GaugeMetricFamily(name, about, labels=list(labels))
    gauge.add_metric(list(labels.values()), value)
    return gauge


def _age(name: str, about: str, since: datetime | None, now: datetime) -> Metric:
    return _gauge(name, about, max((now - since).total_seconds(), 0) if since else 0)


def _by_state(name: str, about: str, counts: Mapping[str, int]) -> Metric:
    gauge = GaugeMetricFamily(name, about, labels=["state"])
    for state, number in counts.items():
        gauge.add_metric([state], number)
    return gauge
