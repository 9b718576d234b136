"""Interruptions of a handler, raised through it: `except Exception` in a handler must not catch them."""

from __future__ import annotations


class Stopped(BaseException):
    """End a handler immediately; its open transaction, if any, is rolled back."""


class JobCancelled(Stopped):
    """A user or an administrator cancelled the job."""


class JobLost(Stopped):
    """The job is no longer this worker's: its lease expired and another took it, or it is finished."""


class WorkerStopping(Stopped):
    """The worker must stop: the job goes back to the queue."""
