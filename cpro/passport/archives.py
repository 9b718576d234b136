"""The passports of a division in one ZIP: kept apart from the pictures, a few days, for who asked for them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.orm import Session

from cpro.core.jobs.models import Job, JobState
from cpro.core.storage import FileStorage, StoredFileMissing
from cpro.passport import queries
from cpro.passport.errors import ArchiveGone
from cpro.passport.letterhead import Letterhead
from cpro.passport.pdf import Passport, render_passport

#: How long an archive can be downloaded.
KEPT = timedelta(days=3)
#: Pupils read at once: what bounds the memory.
_BATCH = 20
_FOLDER = "passports"


def get_archive_store(uploads: Path) -> FileStorage:
    """Return the store of the archives, a folder of the uploads apart from the pictures."""
    return FileStorage(uploads / _FOLDER)


def write_archive(
    stream: BinaryIO,
    student_ids: Sequence[int],
    letterhead: Letterhead,
    *,
    now: datetime,
    progress: Callable[[int], object] = lambda done: None,
) -> list[Passport]:
    """Render the passports of pupils into a ZIP, one after the other; return them without their content.

    `progress` is called with how many are done.
    """
    passports: list[Passport] = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:  # a PDF is compressed already
        for batch in _batches(student_ids):
            for portfolio in queries.list_portfolios(queries.list_pupils(batch)):
                passport = render_passport(portfolio, letterhead, now=now)
                archive.writestr(f"{len(passports) + 1:03}-{passport.file_name}", passport.content)
                passports.append(replace(passport, content=b""))
                progress(len(passports))
    return passports


def find_archive(job: Job, storage: FileStorage, *, now: datetime) -> Path:
    """Return the file of a job that is done. Raises `ArchiveGone` once it is not kept any more."""
    if not is_kept(job, now=now) or job.result is None:
        raise ArchiveGone
    try:
        return storage.path(str(job.result["archive"]))
    except StoredFileMissing as missing:
        raise ArchiveGone from missing


def is_kept(job: Job, *, now: datetime) -> bool:
    """Return whether the archive of a job can be downloaded."""
    return job.state is JobState.DONE and job.finished_at is not None and job.finished_at > now - KEPT


def delete_expired_archives(session: Session, storage: FileStorage, *, now: datetime) -> list[str]:
    """Delete the archives whose days are over, in a platform session, and return their names."""
    needed = queries.list_archives(session, since=now - KEPT)
    return storage.sweep_unused(needed, now=now)


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    remaining = iter(ids)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
