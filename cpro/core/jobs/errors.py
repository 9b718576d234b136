"""What stops a handler. Not errors of its own: `except Exception` in a handler must not swallow them."""

from __future__ import annotations


class Stopped(BaseException):
    """End a handler where it stands; whatever transaction it had open is rolled back."""


class JobCancelled(Stopped):
    """Say that somebody asked for the job to be given up."""


class JobLost(Stopped):
    """Say that the job is no longer this worker's: its lease expired and another took it, or it is finished."""


class WorkerStopping(Stopped):
    """Say that the worker is asked to stop: the job goes back to the queue."""
