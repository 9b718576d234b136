"""Reads of the jobs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.core.errors import NotFound
from cpro.core.jobs.models import Job, JobState, WorkerBeat
from cpro.core.jobs.operations import is_due
from cpro.extensions import db


def get_job(job_id: int) -> Job:
    """Return a job of the current school, or raise `NotFound`."""
    job = db.session.get(Job, job_id)
    if job is None:
        raise NotFound("Ce traitement n’existe pas.")
    return job


def find_last_beat(session: Session) -> datetime | None:
    """Return when any worker was last seen, None where none ever was; a platform session."""
    return session.scalar(select(func.max(WorkerBeat.seen_at)))


def find_oldest_due(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest job that a worker may take waits, None where none does; a platform session."""
    since = func.coalesce(Job.not_before, Job.created_at)
    return session.scalar(select(since).where(is_due(now)).order_by(since).limit(1))


def find_previous(job: Job) -> Job | None:
    """Return the last job of the same kind that the school saw done, or None."""
    return db.session.scalars(
        select(Job)
        .where(Job.kind == job.kind, Job.state == JobState.DONE, Job.id < job.id)
        .order_by(Job.id.desc())
        .limit(1)
    ).first()
