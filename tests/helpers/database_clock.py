"""The database's clock in tests that travel in time: it follows, unless two hosts are simulated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
import time_machine
from sqlalchemy.orm import Session

from cpro.core import clock
from cpro.core.jobs import instants

_read_really, _count_really = instants.read_clock, instants.read_stopwatch


def _read_travelling(session: Session | None = None) -> datetime:
    return clock.utcnow() if time_machine.escape_hatch.is_travelling() else _read_really(session)


def _count_travelling() -> float:
    return clock.utcnow().timestamp()


@contextmanager
def travels_too() -> Iterator[None]:
    """Make the database's clock follow the tests that travel in time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instants, "read_clock", _read_travelling)
        patch.setattr(instants, "read_stopwatch", _count_travelling)
        yield


@contextmanager
def stays_behind() -> Iterator[None]:
    """Leave the database's clock alone: this process simulates a host whose clock is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instants, "read_clock", _read_really)
        patch.setattr(instants, "read_stopwatch", _count_really)
        yield
