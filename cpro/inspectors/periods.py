"""The days of a mandate, as instants on the school's clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cpro.core.formatting import DEFAULT_TIMEZONE


def start_of(day: date, timezone: str) -> datetime:
    """Return the first instant of a day in a time zone, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone or DEFAULT_TIMEZONE)).astimezone(UTC)


def end_of(day: date, timezone: str) -> datetime:
    """Return the instant at which a day is over in a time zone, in UTC."""
    return start_of(day + timedelta(days=1), timezone)
