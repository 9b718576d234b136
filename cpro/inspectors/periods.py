"""The days of a mandate: on the school's clocks, and within one school year."""

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


def last_day_of_school_year(day: date) -> date:
    """Return the 31 August that ends the school year of a day.

    Years are counted from 1 September, as SIECLE's files count them (`ANNEE_SCOLAIRE`), in every academy.
    """
    return date(day.year + (day.month >= 9), 8, 31)
