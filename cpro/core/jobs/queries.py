"""Reads of the jobs."""

from __future__ import annotations

from cpro.core.errors import NotFound
from cpro.core.jobs.models import Job
from cpro.extensions import db


def get_job(job_id: int) -> Job:
    """Return a job of the current school, or raise `NotFound`."""
    job = db.session.get(Job, job_id)
    if job is None:
        raise NotFound("Ce traitement n’existe pas.")
    return job
