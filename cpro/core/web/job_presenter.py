"""Describe a job for a page: its state, progress, remaining work, duration and result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cpro.core.formatting import describe_age, describe_duration, format_count
from cpro.core.jobs import instants
from cpro.core.jobs.handlers import Handler, Report, find_handler
from cpro.core.jobs.interruptions import describe_interruption
from cpro.core.jobs.models import Job, JobState
from cpro.core.jobs.queries import find_previous
from cpro.core.jobs.waits import describe_wait
from cpro.core.web.current_user import current_principal

_LEVELS = {
    JobState.WAITING: "info",
    JobState.RUNNING: "info",
    JobState.DONE: "ok",
    JobState.FAILED: "blocked",
    JobState.CANCELLED: "warning",
}
_UNKNOWN = "Le travail est terminé."


@dataclass(frozen=True)
class Progress:
    """The state of a job, as text."""

    label: str
    state: str
    #: label (« En cours ») and level: ok, info, warning or blocked
    words: str
    level: str
    done: int
    total: int
    #: the current step
    step: str
    #: « 120 sur 300, il en reste 180 », "" while the total is unknown
    figure: str
    #: since when, and how long it took last time
    duration: str
    #: the result once done, or why it failed
    summary: str
    error: str
    interruption: str
    #: why no worker has started it
    wait: str
    asked_by: str
    report: Report | None

    @property
    def is_finished(self) -> bool:
        """Return whether the job is over."""
        return self.state not in (JobState.WAITING.value, JobState.RUNNING.value)


def progress_of(job: Job) -> Progress:
    """Return the progress of a job for its page, in a request of the person who views it."""
    handler, state, now = find_handler(job.kind), job.state, instants.read_clock()
    done = min(job.progress_done, job.progress_total)
    is_counted = bool(job.progress_total) and state is JobState.RUNNING
    return Progress(
        label=handler.label if handler else "Traitement",
        state=state.value,
        words=state.label,
        level=_LEVELS.get(state, "info"),
        done=done,
        total=job.progress_total,
        step=job.progress_message or "Préparation…",
        figure=_figure(done, job.progress_total) if is_counted else "",
        duration=_duration(job, now),
        summary=_summarise(job) if state is JobState.DONE else "",
        error=job.error,
        interruption=describe_interruption(job, now),
        wait=describe_wait(job, now) if state is JobState.WAITING else "",
        asked_by=job.actor.label,
        report=_find_report(handler, job) if handler and state.is_finished else None,
    )


def _find_report(handler: Handler, job: Job) -> Report | None:
    reader = current_principal()
    return handler.report(job, reader) if handler.report and reader else None


def _summarise(job: Job) -> str:
    handler = find_handler(job.kind)
    return handler.summary(job.result or {}) if handler else _UNKNOWN


def _figure(done: int, total: int) -> str:
    left = total - done
    return f"{format_count(done)} sur {format_count(total)}" + (f", il en reste {format_count(left)}" if left else "")


def _duration(job: Job, now: datetime) -> str:
    """Return how long a job lasted, or has been running; for a running one, also how long the last of its kind took."""
    if job.state is JobState.DONE and job.started_at and job.finished_at:
        return f"Fait en {describe_duration(job.finished_at - job.started_at)}."
    if job.state.is_finished:
        return ""
    sentence = ""
    if job.state is JobState.RUNNING and job.started_at:
        sentence = f"Commencé il y a {describe_age(now - job.started_at)}."
    last = find_previous(job)
    if last is not None and last.started_at and last.finished_at:
        sentence = f"{sentence} La dernière fois, cela a pris {describe_duration(last.finished_at - last.started_at)}."
    return sentence.strip()
