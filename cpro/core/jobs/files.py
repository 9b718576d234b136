"""Files that jobs make: kept apart from the pictures, a few days, for who asked for them alone."""

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
#: The jobs of a kind that a school asked for in these days are among its last ones.
_JOBS_READ = 200


class FileGone(NotFound):
    """Say that a file is not kept any more."""

    status = 410


@dataclass(frozen=True)
class JobFiles:
    """The files of the jobs of one kind, each named by the result of its job."""

    kind: str
    #: of the uploads
    folder: str
    #: what is said of a job that is not there, or is somebody else's, and of a file that is not kept any more
    unknown: str
    gone: str
    #: where the result of a job holds the stored name of its file
    key: str = "file"

    @property
    def storage(self) -> FileStorage:
        """Return where the files are, a folder of the uploads."""
        return FileStorage(application.uploads, self.folder)

    def get_own(self, job_id: int, *, by: Actor) -> Job:
        """Return a job of the kind that somebody asked for, in their school. Raises `NotFound`."""
        job = db.session.get(Job, job_id)
        if job is None or job.kind != self.kind or not is_asked_by(job, by):
            raise NotFound(self.unknown)
        return job

    def list_own(self, *, by: Actor) -> list[Job]:
        """List the jobs of the kind that somebody asked for in their school, latest first, a few at most."""
        jobs = db.session.scalars(select(Job).where(Job.kind == self.kind).order_by(Job.id.desc()).limit(_JOBS_READ))
        return [job for job in jobs if is_asked_by(job, by)]

    def find(self, job: Job, *, now: datetime) -> Path:
        """Return the file of a job that is done. Raises `FileGone` once it is not kept any more."""
        if not is_kept(job, now=now) or job.result is None:
            raise FileGone(self.gone)
        try:
            return self.storage.path(str(job.result[self.key]))
        except StoredFileMissing as missing:
            raise FileGone(self.gone) from missing

    def delete_expired(self, session: Session, *, now: datetime) -> list[str]:
        """Delete the files whose days are over, in a platform session, and return their names."""
        results = session.scalars(
            select(Job.result).where(Job.kind == self.kind, Job.state == JobState.DONE, Job.finished_at >= now - KEPT)
        )
        needed = {str(result[self.key]) for result in results if result and result.get(self.key)}
        return self.storage.sweep_unused(needed, now=now)

    def forget_expired(self, session: Session, *, now: datetime) -> list[str]:
        """Delete the files whose days are over with their jobs, whose arguments need not outlive them.

        In a platform session; return the names of the files.
        """
        session.execute(delete(Job).where(Job.kind == self.kind, Job.finished_at < now - KEPT))
        return self.delete_expired(session, now=now)


def is_kept(job: Job, *, now: datetime) -> bool:
    """Return whether the file of a job can be downloaded."""
    return job.state is JobState.DONE and job.finished_at is not None and job.finished_at > now - KEPT


def is_asked_by(job: Job, person: Actor | Principal) -> bool:
    """Return whether somebody asked for a job."""
    return (job.actor.kind, job.actor.id) == (person.kind, person.id)
