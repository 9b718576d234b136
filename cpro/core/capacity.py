"""Bound how much heavy work one process does at once: memory and CPU are what a few files can take from everybody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cpro.core.errors import DomainError

#: Seconds that a request waits for its turn: far more than a file takes, far less than a proxy waits.
_PATIENCE = 10.0


class Overloaded(DomainError):
    """Refuse heavy work while the process has all it can do."""

    status = 503
    seconds = 5
    message = "Le serveur traite déjà plusieurs demandes lourdes : réessayez dans un instant."


class Capacity:
    """Let so many threads of this process do one kind of heavy work at the same time."""

    def __init__(self, at_once: int, *, patience: float = _PATIENCE) -> None:
        """Let `at_once` threads in; a further one waits for `patience` seconds at most."""
        self._places = threading.BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place for the block. Raises `Overloaded` when none becomes free in time."""
        if not self._places.acquire(timeout=self._patience):
            raise Overloaded
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def take_if_free(self) -> Iterator[bool]:
        """Hold a place for the block if one is free now, and say whether."""
        is_taken = self._places.acquire(blocking=False)
        try:
            yield is_taken
        finally:
            if is_taken:
                self._places.release()
