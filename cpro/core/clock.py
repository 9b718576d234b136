"""The clock, read by views, commands and jobs alone; operations receive the time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)
