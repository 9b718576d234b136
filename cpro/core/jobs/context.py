"""What a handler receives: the actor, the jobs' clock, units of work, and progress reporting."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from cpro.core.database_errors import find_failure
from cpro.core.jobs import instants, operations
from cpro.core.jobs.errors import WorkerStopping
from cpro.core.jobs.handlers import get_handler
from cpro.core.jobs.operations import Taken
from cpro.core.permissions import Actor
from cpro.core.transactions import UnitOfWork, after_commit, platform_unit_of_work, unit_of_work

logger = logging.getLogger(__name__)

_PROGRESS_EVERY = 1.0  # seconds: faster would be unreadable, and SQLite has a single writer


class JobContext:
    """One attempt at one job. A school's job uses `db.session`, opened on that school."""

    def __init__(self, taken: Taken, stopping: threading.Event) -> None:
        self.taken = taken
        #: whether the end of the job, or of this attempt, is committed
        self.finished = False
        self._stopping = stopping
        self._heartbeat_every = get_handler(taken.kind).lease.total_seconds() / 4
        self._began_at = instants.read_stopwatch()
        self._renewed_at = time.monotonic()
        self._writing = False

    @property
    def job_id(self) -> int:
        """Return the number of the job."""
        return self.taken.id

    @property
    def establishment_id(self) -> int | None:
        """Return the school of the job, or None for a platform job."""
        return self.taken.establishment_id

    @property
    def actor(self) -> Actor:
        """Return the actor who requested the job."""
        return self.taken.actor

    @property
    def attempt(self) -> int:
        """Return 1 for the first attempt, more after a worker died on the job."""
        return self.taken.attempt

    @property
    def reason(self) -> str:
        """Return the reason of the platform sessions, for `tenancy.platform_session`."""
        return f"job {self.taken.kind}"

    @property
    def now(self) -> datetime:
        """Return the current instant on the jobs' clock: when the job was taken, plus the time elapsed since."""
        return self.taken.taken_at + timedelta(seconds=instants.read_stopwatch() - self._began_at)

    @contextmanager
    def unit_of_work(self, *, school_first: bool = True) -> Iterator[UnitOfWork]:
        """Open a transaction, in the school's session or in a platform session; keep it short.

        `school_first` is that of `transactions.unit_of_work`.
        """
        platform = self.taken.establishment_id is None
        with platform_unit_of_work(self.reason) if platform else unit_of_work(school_first=school_first) as work:
            self._writing = True
            try:
                yield work
            finally:
                self._writing = False

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Record the job's progress, in its own transaction, at most once a second; also a heartbeat.

        `total` is 0 while unknown. Raises `Stopped` when the handler must end here, `RuntimeError` inside a
        transaction, whose lock the progress would wait for.
        """
        self._renew_lease((done, total, message), every=0 if total and done >= total else _PROGRESS_EVERY)

    def heartbeat(self) -> None:
        """Renew the job's lease. Raises the same errors as `progress`."""
        self._renew_lease(None, every=self._heartbeat_every)

    def finish_within(self, session: Session, result: Mapping[str, Any] | None = None) -> None:
        """Mark the job as done in the caller's transaction: its writes and its end are one commit.

        The row is locked and must still belong to this attempt: two workers that both believe they have the job
        cannot both commit, and a job killed before the commit has left nothing behind. Raises `Stopped` (the
        transaction is rolled back) when the job was lost or cancelled.
        """
        self._writing = True  # the row is locked from here: writing progress would wait for this lock
        now = instants.read_clock(session)
        operations.finish(session, self.taken, now=now, result=result, unless_cancelled=True)
        after_commit(session, self._note_finished)

    def postpone_within(self, session: Session, until: datetime) -> None:
        """Postpone the job until an instant, in the caller's transaction; the handler must then return.

        Raises `Stopped`, like `finish_within`, when the job was lost.
        """
        self._writing = True
        operations.postpone(session, self.taken, until=until)
        after_commit(session, self._note_finished)

    def _note_finished(self) -> None:
        self.finished = True

    def _renew_lease(self, progress: tuple[int, int, str] | None, *, every: float) -> None:
        if self._writing:
            raise RuntimeError("progress is written between two transactions, not inside one")
        if self._stopping.is_set():
            raise WorkerStopping
        if time.monotonic() - self._renewed_at < every:
            return
        self._renewed_at = time.monotonic()
        try:
            with platform_unit_of_work("job: progress") as work:
                now = instants.read_clock(work.session)
                operations.renew(work.session, self.taken, now=now, progress=progress)
        except SQLAlchemyError as error:
            if not find_failure(error):
                raise
            # A busy database is no reason to stop: if it lasts, the lease expires.
            logger.warning("job %d: its progress could not be written", self.taken.id, exc_info=True)
