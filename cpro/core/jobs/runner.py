"""Take jobs and run them one after the other, until there are none."""

from __future__ import annotations

import logging
import os
import platform
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from cpro.core import tenancy
from cpro.core.database_errors import find_failure
from cpro.core.errors import DomainError
from cpro.core.jobs import instants, operations
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.errors import JobCancelled, JobLost, WorkerStopping
from cpro.core.jobs.handlers import get_handler
from cpro.core.jobs.operations import Taken
from cpro.core.jobs.queries import find_oldest_due
from cpro.core.transactions import platform_unit_of_work

if TYPE_CHECKING:
    from flask import Flask

logger = logging.getLogger(__name__)

#: Shown for an unexpected error; the details are in the log.
NEUTRAL = "Une erreur inattendue a interrompu ce traitement. L’équipe qui administre CPro en est avertie."

_Ending = Callable[[Session], None]


class Runner:
    """Run the jobs of an application until `stopping` is set."""

    def __init__(self, app: Flask, stopping: threading.Event) -> None:
        self._app = app
        self._stopping = stopping
        self._host = f"{platform.node()[:60]}-{os.getpid()}"
        self._current: Taken | None = None

    def drain(self) -> None:
        """Run every job there is; take no lock when there is none."""
        while not self._stopping.is_set() and self._is_any_due():
            taken = self._take()
            if taken is None:
                return
            self._do(taken)

    def do(self, job_id: int) -> None:
        """Run one job in this process, unless another process has taken it."""
        taken = self._take(only=job_id)
        if taken is not None:
            self._do(taken)

    def hand_back(self) -> None:
        """Put the current job back in the queue, from another thread, because the process is about to end.

        Later writes by the job's thread are refused: the job is no longer its own.
        """
        taken = self._current
        if taken:
            self._end(taken, lambda session: operations.hand_back(session, taken))

    def _is_any_due(self) -> bool:
        with self._app.app_context(), tenancy.platform_session("worker: does a job wait?") as session:
            return find_oldest_due(session, instants.read_clock(session)) is not None

    def _do(self, taken: Taken) -> None:
        self._current = taken
        self._end(taken, self._attempt(taken))
        self._current = None

    def _take(self, only: int | None = None) -> Taken | None:
        with self._app.app_context():
            while True:
                try:
                    with platform_unit_of_work("worker: taking a job") as work:
                        now = instants.read_clock(work.session)
                        return operations.take(work.session, host=self._host, now=now, only=only)
                except IntegrityError:
                    continue  # another worker has just taken a job with the same exclusive key: try again

    def _attempt(self, taken: Taken) -> _Ending | None:
        """Run the handler in its own context; return how to end the job, or None when there is nothing to write."""
        with self._app.app_context(), bound_contextvars(job=taken.id, kind=taken.kind, school=taken.establishment_id):
            context = JobContext(taken, self._stopping)
            if taken.establishment_id is not None:
                tenancy.enter(tenancy.Scope(taken.establishment_id, reason=context.reason))
            try:
                result = get_handler(taken.kind).run(context, **taken.arguments)
            except WorkerStopping:
                return lambda session: operations.hand_back(session, taken)
            except JobCancelled:
                return lambda session: operations.give_up(session, taken, now=instants.read_clock(session))
            except JobLost:
                logger.warning("job %d (%s) was taken back from this worker", taken.id, taken.kind)
                return None
            except DomainError as refusal:
                sentence = refusal.message
                return lambda session: operations.fail(session, taken, sentence, now=instants.read_clock(session))
            except Exception as error:
                if find_failure(error):
                    # The lease will expire and the job come back, as many times as its kind allows.
                    logger.exception("job %d (%s): the database did not answer", taken.id, taken.kind)
                    return None
                logger.exception("job %d (%s) failed", taken.id, taken.kind)
                return lambda session: operations.fail(session, taken, NEUTRAL, now=instants.read_clock(session))
            if context.finished:
                return None
            return lambda session: operations.finish(session, taken, now=instants.read_clock(session), result=result)

    def _end(self, taken: Taken, ending: _Ending | None) -> None:
        """Write the end of a job, once the handler's own session is closed."""
        if ending is None:
            return
        try:
            with self._app.app_context(), platform_unit_of_work("worker: end of a job") as work:
                ending(work.session)
        except JobLost:
            logger.warning("job %d (%s) was taken back from this worker", taken.id, taken.kind)
        except Exception:
            logger.exception("job %d (%s): its end could not be written; it will be done again", taken.id, taken.kind)
