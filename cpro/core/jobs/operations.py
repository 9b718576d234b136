"""The life of a job's row: enqueued, taken, renewed, finished, requeued when its worker dies.

A worker that has lost its job can no longer write to it: `worker`, renewed at each take, is a fencing token.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session, aliased

from cpro.core.errors import DomainError
from cpro.core.jobs.errors import JobCancelled, JobLost
from cpro.core.jobs.handlers import ATTEMPTS, find_handler, get_handler, list_kinds
from cpro.core.jobs.models import Job, JobState, WorkerBeat
from cpro.core.jobs.queue import wake_a_worker
from cpro.core.permissions import Actor
from cpro.core.tenancy import scope_of
from cpro.core.transactions import after_commit
from cpro.extensions import db

logger = logging.getLogger(__name__)

_BEATS_KEPT = timedelta(days=1)
_GIVEN_UP = "Le traitement s’est interrompu plusieurs fois de suite avant la fin ; il a été abandonné."


@dataclass(frozen=True)
class Taken:
    """A job as seen by the worker that took it."""

    id: int
    kind: str
    arguments: dict[str, Any]
    establishment_id: int | None
    actor: Actor
    worker: str
    attempt: int
    #: when it was taken, on the jobs' clock
    taken_at: datetime


def enqueue(
    kind: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    by: Actor,
    now: datetime,
    session: Session | None = None,
    establishment_id: int | None = None,
    period_key: str | None = None,
    not_before: datetime | None = None,
) -> Job:
    """Enqueue a job in the transaction of the action: no commit, no job. A worker is woken after the commit.

    In a school's session the job belongs to that school; in a platform session, to `establishment_id`, or to the
    platform. No worker takes it before `not_before`. Raises `LookupError` for a kind without handler.
    """
    target: Session = session or db.session()
    scope = scope_of(target)
    school = establishment_id if scope.is_platform else scope.establishment_id
    exclusive = get_handler(kind).exclusive
    job = Job(
        establishment_id=school,
        kind=kind,
        arguments=dict(arguments or {}),
        requested_by=asdict(by),
        exclusive_key=f"{school or 'platform'}:{exclusive}" if exclusive else None,
        period_key=period_key,
        not_before=not_before,
        created_at=now,
    )
    target.add(job)
    target.flush()
    after_commit(target, wake_a_worker)
    return job


def cancel(job: Job, *, now: datetime) -> None:
    """Cancel a job: at once if it waits, at its next heartbeat if it runs; a finished job is left unchanged."""
    if job.state is JobState.WAITING:
        _finish_job(job, JobState.CANCELLED, now)
    elif job.state is JobState.RUNNING:
        job.cancel_asked_at = now


def retry(job: Job, *, session: Session) -> None:
    """Put a failed or cancelled job back in the queue, with all its attempts; its handler checks everything again.

    Raises `DomainError` for a job that is waiting, running or done.
    """
    if job.state not in (JobState.FAILED, JobState.CANCELLED):
        raise DomainError(f"Le traitement {job.id} n’a pas échoué et n’a pas été annulé : il ne peut pas être repris.")
    job.attempts, job.error, job.finished_at, job.cancel_asked_at, job.not_before = 0, "", None, None, None
    _wait_again(job)
    session.flush()
    after_commit(session, wake_a_worker)


def record_beat(session: Session, name: str, *, now: datetime) -> None:
    """Record that a worker is alive, and delete the beats of those not seen for a day."""
    session.merge(WorkerBeat(name=name, seen_at=now))
    session.execute(delete(WorkerBeat).where(WorkerBeat.seen_at < now - _BEATS_KEPT))


def is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition of the jobs due at an instant, including those whose exclusive key is busy."""
    waits = Job.state == JobState.WAITING
    return and_(waits, or_(Job.not_before.is_(None), Job.not_before <= now))


def is_free(now: datetime) -> ColumnElement[bool]:
    """Return the condition of the jobs that a worker may take at an instant."""
    running = aliased(Job)
    busy = select(running.exclusive_key).where(running.state == JobState.RUNNING, running.exclusive_key.is_not(None))
    return and_(is_due(now), or_(Job.exclusive_key.is_(None), Job.exclusive_key.not_in(busy)))


def take(session: Session, *, host: str, now: datetime, only: int | None = None) -> Taken | None:
    """Take the oldest job that may run, or the job `only` if it may; return None when there is none.

    Raises `IntegrityError` when another worker took a job with the same exclusive key meanwhile: try again.
    """
    job = session.scalars(
        select(Job)
        .where(is_free(now), Job.kind.in_(list_kinds()), *(() if only is None else (Job.id == only,)))
        .order_by(Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if job is None:
        return None
    worker = f"{host}-{secrets.token_hex(6)}"
    job.state, job.worker, job.attempts = JobState.RUNNING, worker, job.attempts + 1
    job.started_at = job.heartbeat_at = now
    job.lease_until = now + get_handler(job.kind).lease
    session.flush()
    return Taken(job.id, job.kind, job.arguments, job.establishment_id, job.actor, worker, job.attempts, now)


def renew(session: Session, taken: Taken, *, now: datetime, progress: tuple[int, int, str] | None = None) -> None:
    """Renew the lease of the job, and record its progress. Raises `JobLost`, `JobCancelled`."""
    job = _get_taken(session, taken)
    if job.cancel_asked_at:
        raise JobCancelled
    job.heartbeat_at = now
    job.lease_until = now + get_handler(job.kind).lease
    if progress:
        job.progress_done, job.progress_total, job.progress_message = progress[0], progress[1], progress[2][:200]
    session.flush()


def finish(
    session: Session,
    taken: Taken,
    *,
    now: datetime,
    result: Mapping[str, Any] | None = None,
    unless_cancelled: bool = False,
) -> None:
    """Mark the job as done. Raises `JobLost`, or `JobCancelled` if `unless_cancelled` and cancellation is requested."""
    job = _get_taken(session, taken)
    if unless_cancelled and job.cancel_asked_at:
        raise JobCancelled
    job.result = dict(result) if result else None
    _finish_job(job, JobState.DONE, now)
    session.flush()


def fail(session: Session, taken: Taken, sentence: str, *, now: datetime) -> None:
    """Mark the job as failed, with a reason in French. Raises `JobLost`."""
    job = _get_taken(session, taken)
    job.error = sentence[:500]
    _finish_job(job, JobState.FAILED, now)
    session.flush()


def give_up(session: Session, taken: Taken, *, now: datetime) -> None:
    """Mark the job as cancelled. Raises `JobLost`."""
    _finish_job(_get_taken(session, taken), JobState.CANCELLED, now)
    session.flush()


def hand_back(session: Session, taken: Taken) -> None:
    """Put the job back in the queue, as if it had not been taken. Raises `JobLost`."""
    job = _get_taken(session, taken)
    job.attempts -= 1
    _wait_again(job)
    session.flush()


def postpone(session: Session, taken: Taken, *, until: datetime) -> None:
    """Put the job back in the queue until an instant; this attempt is not counted as a dead worker's.

    Raises `JobLost`.
    """
    job = _get_taken(session, taken)
    job.attempts, job.not_before = 0, until
    _wait_again(job)
    session.flush()


def take_back_expired(session: Session, *, now: datetime) -> int:
    """Requeue the jobs of silent workers, and fail those with no attempt left; return how many leases had expired."""
    expired = session.scalars(
        select(Job)
        .where(Job.state == JobState.RUNNING, Job.lease_until < now)
        .order_by(Job.id)
        .with_for_update(skip_locked=True)
    ).all()
    for job in expired:
        handler = find_handler(job.kind)
        if job.cancel_asked_at:
            _finish_job(job, JobState.CANCELLED, now)
        elif job.attempts >= (handler.attempts if handler else ATTEMPTS):
            logger.error("job %d (%s) is given up after %d attempts", job.id, job.kind, job.attempts)
            job.error = _GIVEN_UP
            _finish_job(job, JobState.FAILED, now)
        else:
            _wait_again(job)
    session.flush()
    return len(expired)


def _get_taken(session: Session, taken: Taken) -> Job:
    """Return the locked row of a job that this worker has taken. Raises `JobLost`."""
    job = session.scalars(
        select(Job)
        .where(Job.id == taken.id, Job.state == JobState.RUNNING, Job.worker == taken.worker)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if job is None:
        raise JobLost
    return job


def _finish_job(job: Job, state: JobState, now: datetime) -> None:
    job.state, job.finished_at = state, now
    job.worker = job.lease_until = None


def _wait_again(job: Job) -> None:
    job.state = JobState.WAITING
    job.worker = job.lease_until = None
