"""Reads of the jobs."""

from __future__ import annotations

from sqlalchemy import select

from cpro.core.errors import NotFound
from cpro.core.jobs.models import Job, JobState
from cpro.extensions import db


def get_job(job_id: int) -> Job:
    """Return a job of the current school, or raise `NotFound`."""
    job = db.session.get(Job, job_id)
    if job is None:
        raise NotFound("Ce traitement n’existe pas.")
    return job


def find_previous(job: Job) -> Job | None:
    """Return the last job of the same kind that the school saw done, or None."""
    return db.session.scalars(
        select(Job)
        .where(Job.kind == job.kind, Job.state == JobState.DONE, Job.id < job.id)
        .order_by(Job.id.desc())
        .limit(1)
    ).first()
