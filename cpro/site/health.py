"""Checks that pages can be served and jobs run: read by monitors at /sante/pret."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cpro.core import server_key, tenancy
from cpro.core.database_revision import find_revision, list_revisions
from cpro.core.jobs import instants
from cpro.core.jobs.queries import find_last_beat, find_oldest_due
from cpro.core.mail.queries import find_oldest_waiting
from cpro.core.storage import FileStorage, StorageUnavailable, StoreAbsent

#: A worker records every minute that it is alive.
_SILENCE = timedelta(minutes=5)
#: Longer than the longest job, an import of a very large school.
_JOB_WAIT = timedelta(hours=1)
#: Time for two tries after the relay went away.
_MAIL_WAIT = timedelta(hours=2)
#: Bytes: a few hundred deposits.
_FREE_SPACE = 1 << 30


def list_problems(uploads: Path) -> list[str]:
    """Return the failed checks, a short English sentence each, for the platform's operator; no personal data."""
    problems = []
    try:
        with tenancy.platform_session("health") as session:
            now = instants.read_clock(session)
            for check in (_check_revision, _check_key, _check_worker, _check_jobs, _check_mails):
                if problem := check(session, now):
                    problems.append(problem)
    except SQLAlchemyError:
        problems.append("the database does not answer, or its tables are missing")
    problems += filter(None, (check(uploads) for check in (_check_store, _check_space)))
    return problems


def _check_revision(session: Session, _now: datetime) -> str:
    is_expected = find_revision(session.connection()) == list_revisions()[-1]
    return "" if is_expected else "the database is not at the revision of this program"


def _check_key(session: Session, _now: datetime) -> str:
    return "" if server_key.is_known(session) else "the database belongs to another server key"


def _check_worker(session: Session, now: datetime) -> str:
    seen_at = find_last_beat(session)
    return "" if seen_at and now - seen_at < _SILENCE else "no worker gave a sign of life for five minutes"


def _check_jobs(session: Session, now: datetime) -> str:
    since = find_oldest_due(session, now)
    return "a job has waited for more than an hour" if since and now - since > _JOB_WAIT else ""


def _check_mails(session: Session, now: datetime) -> str:
    since = find_oldest_waiting(session)
    return "a message has waited for more than two hours" if since and now - since > _MAIL_WAIT else ""


def _check_store(uploads: Path) -> str:
    try:
        FileStorage(uploads).check_writable()
    except StoreAbsent:
        return "the store is not there: its disk is not mounted, or its folder lost its mark"
    except StorageUnavailable:
        return "the store cannot be written"
    return ""


def _check_space(uploads: Path) -> str:
    try:
        free = shutil.disk_usage(uploads).free
    except OSError:
        return ""  # the store's own check reports it
    return "" if free > _FREE_SPACE else "less than one gigabyte is left in the store"
