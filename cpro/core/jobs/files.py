"""Files produced by jobs: stored apart from the pictures, for a few days, only for the account that requested them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cpro.core.errors import NotFound
from cpro.core.jobs.models import Job, JobState
from cpro.core.permissions import Actor, Principal
from cpro.core.storage import FileStorage, StoredFileMissing
from cpro.extensions import application, db

#: How long a file can be downloaded.
KEPT = timedelta(days=3)
#: How many of the school's last jobs of a kind are read, which covers those days.
_JOBS_READ = 200


class FileGone(NotFound):
    """The file is no longer kept."""

    status = 410


@dataclass(frozen=True)
class JobFiles:
    """The files of the jobs of one kind, each named in its job's result."""

    kind: str
    #: subfolder of the uploads
    folder: str
    #: message for a job that does not exist or belongs to another account, and for a file no longer kept
    unknown: str
    gone: str
    #: key of the stored file name in the job's result
    key: str = "file"

    @property
    def storage(self) -> FileStorage:
        """Return the file storage, in a subfolder of the uploads."""
        return FileStorage(application.uploads, self.folder)

    def get_own(self, job_id: int, *, by: Actor) -> Job:
        """Return a job of this kind that the actor requested, in their school. Raises `NotFound`."""
        job = db.session.get(Job, job_id)
        if job is None or job.kind != self.kind or not is_asked_by(job, by):
            raise NotFound(self.unknown)
        return job

    def list_own(self, *, by: Actor) -> list[Job]:
        """List the jobs of this kind that the actor requested in their school, latest first; only recent ones."""
        jobs = db.session.scalars(select(Job).where(Job.kind == self.kind).order_by(Job.id.desc()).limit(_JOBS_READ))
        return [job for job in jobs if is_asked_by(job, by)]

    def find(self, job: Job, *, now: datetime) -> Path:
        """Return the path of a finished job's file. Raises `FileGone` when it is no longer kept."""
        if not is_kept(job, now=now) or job.result is None:
            raise FileGone(self.gone)
        try:
            return self.storage.path(str(job.result[self.key]))
        except StoredFileMissing as missing:
            raise FileGone(self.gone) from missing

    def delete_expired(self, session: Session, *, now: datetime) -> list[str]:
        """Delete the expired files, in a platform session, and return their names."""
        results = session.scalars(
            select(Job.result).where(Job.kind == self.kind, Job.state == JobState.DONE, Job.finished_at >= now - KEPT)
        )
        needed = {str(result[self.key]) for result in results if result and result.get(self.key)}
        return self.storage.sweep_unused(needed, now=now)

    def forget_expired(self, session: Session, *, now: datetime) -> list[str]:
        """Delete the expired files and their jobs, whose arguments should not outlive them.

        In a platform session; return the names of the files.
        """
        session.execute(delete(Job).where(Job.kind == self.kind, Job.finished_at < now - KEPT))
        return self.delete_expired(session, now=now)


def is_kept(job: Job, *, now: datetime) -> bool:
    """Return whether the file of a job can be downloaded."""
    return job.state is JobState.DONE and job.finished_at is not None and job.finished_at > now - KEPT


def is_asked_by(job: Job, person: Actor | Principal) -> bool:
    """Return whether an account requested a job."""
    return (job.actor.kind, job.actor.id) == (person.kind, person.id)
