"""Queries on jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from cpro.core.errors import NotFound
from cpro.core.jobs.models import Job, JobState, WorkerBeat
from cpro.core.jobs.operations import is_due, is_free
from cpro.extensions import db

#: Workers beat every minute: one silent for longer is not counted.
SILENCE = timedelta(minutes=3)


def get_job(job_id: int) -> Job:
    """Return a job of the current school, or raise `NotFound`."""
    job = db.session.get(Job, job_id)
    if job is None:
        raise NotFound("Ce traitement n’existe pas.")
    return job


def find_last_beat(session: Session) -> datetime | None:
    """Return the last heartbeat of any worker, or None; in a platform session."""
    return session.scalar(select(func.max(WorkerBeat.seen_at)))


def count_workers(session: Session, now: datetime) -> int:
    """Return how many workers are alive; in a platform session."""
    return session.scalar(select(func.count()).where(WorkerBeat.seen_at > now - SILENCE)) or 0


def count_by_state(session: Session) -> dict[str, int]:
    """Return the number of jobs in each state, all schools together; in a platform session."""
    found = session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
    return {state.value: 0 for state in JobState} | {state.value: number for state, number in found}


def find_oldest_running(session: Session) -> datetime | None:
    """Return the start of the job that has been running the longest, or None; in a platform session."""
    return session.scalar(select(func.min(Job.started_at)).where(Job.state == JobState.RUNNING))


def find_oldest_due(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest due job has been waiting, or None; in a platform session."""
    since = func.coalesce(Job.not_before, Job.created_at)
    return session.scalar(select(since).where(is_due(now)).order_by(since).limit(1))


@dataclass(frozen=True)
class Queue:
    """The queue ahead of a waiting job, as figures only: other schools' jobs are counted, not shown."""

    #: the last heartbeat of any worker
    seen_at: datetime | None
    #: workers alive
    workers: int
    running: int
    #: jobs that a worker may take first
    ahead: int
    #: kind of the running job that excludes it, or ""
    rival: str


def read_queue(session: Session, job: Job, *, now: datetime) -> Queue:
    """Return what a job waits for; in a platform session."""
    rival = and_(Job.state == JobState.RUNNING, Job.exclusive_key.is_not(None), Job.exclusive_key == job.exclusive_key)
    return Queue(
        seen_at=find_last_beat(session),
        workers=count_workers(session, now),
        running=session.scalar(select(func.count()).where(Job.state == JobState.RUNNING)) or 0,
        ahead=session.scalar(select(func.count()).where(is_free(now), Job.id < job.id)) or 0,
        rival=session.scalar(select(Job.kind).where(rival).limit(1)) or "",
    )


def find_previous(job: Job) -> Job | None:
    """Return the school's last finished job of the same kind, or None."""
    return db.session.scalars(
        select(Job)
        .where(Job.kind == job.kind, Job.state == JobState.DONE, Job.id < job.id)
        .order_by(Job.id.desc())
        .limit(1)
    ).first()
