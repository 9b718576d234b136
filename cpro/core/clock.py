"""The clock, read by views, commands and jobs alone; operations receive the time as an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from cpro.core.formatting import DEFAULT_TIMEZONE


def utcnow() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def today_in(timezone: str, now: datetime) -> date:
    """Return the day it is in a time zone (Paris when the name is blank)."""
    return now.astimezone(ZoneInfo(timezone or DEFAULT_TIMEZONE)).date()


def last_day_of_school_year(day: date) -> date:
    """Return the 31 August that ends the school year of a day.

    Years are counted from 1 September, as SIECLE's files count them (`ANNEE_SCOLAIRE`), in every academy.
    """
    return date(day.year + (day.month >= 9), 8, 31)
