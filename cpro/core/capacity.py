"""Limit how much heavy work one process does at once, so that a few files cannot exhaust its memory and CPU."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cpro.core.errors import DomainError

#: Seconds that a request waits for a slot: far more than a file takes, far less than a proxy's timeout.
_PATIENCE = 10.0


class Overloaded(DomainError):
    """The process already does as much heavy work as it can."""

    status = 503
    seconds = 5
    message = "Le serveur traite déjà plusieurs demandes lourdes : réessayez dans un instant."


class Capacity:
    """Allow a limited number of threads of this process to do one kind of heavy work at the same time."""

    def __init__(self, at_once: int, *, patience: float = _PATIENCE) -> None:
        """Allow `at_once` threads; another one waits `patience` seconds at most."""
        self._places = threading.BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def take(self) -> Iterator[None]:
        """Take a slot for the block. Raises `Overloaded` when none becomes free in time."""
        if not self._places.acquire(timeout=self._patience):
            raise Overloaded
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def take_if_free(self) -> Iterator[bool]:
        """Take a slot for the block if one is free now; yield whether it was taken."""
        is_taken = self._places.acquire(blocking=False)
        try:
            yield is_taken
        finally:
            if is_taken:
                self._places.release()
