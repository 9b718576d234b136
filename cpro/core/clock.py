"""The clock, read by views, commands and jobs only; operations receive the time as an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cpro.core.formatting import DEFAULT_TIMEZONE


def utcnow() -> datetime:
    """Return the current instant, timezone-aware, in UTC."""
    return datetime.now(UTC)


def today_in(timezone: str, now: datetime) -> date:
    """Return the current date in a time zone (Paris when the name is blank)."""
    return on_clocks_of(timezone, now).date()


def latest_today(now: datetime) -> date:
    """Return the latest current date in any time zone: UTC+14, the Line Islands."""
    return (now + timedelta(hours=14)).date()


def on_clocks_of(timezone: str, instant: datetime) -> datetime:
    """Return an instant as a naive local datetime of a time zone (Paris when the name is blank)."""
    return instant.astimezone(ZoneInfo(timezone or DEFAULT_TIMEZONE)).replace(tzinfo=None)


#: Outside these dates, the instants of a day overflow in some time zone; the application has no such date.
_EARLIEST, _LATEST = date(1900, 1, 1), date(9000, 1, 1)


def start_of(day: date, timezone: str) -> datetime:
    """Return the first instant of a day in a time zone, in UTC; a day outside the supported range is clamped to it."""
    return _midnight(_in_use(day), timezone)


def end_of(day: date, timezone: str) -> datetime:
    """Return the instant at which a day ends in a time zone, in UTC; clamped like `start_of`."""
    return _midnight(_in_use(day) + timedelta(days=1), timezone)


def _in_use(day: date) -> date:
    return min(max(day, _EARLIEST), _LATEST)


def _midnight(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(timezone or DEFAULT_TIMEZONE)).astimezone(UTC)


def first_day_of_school_year(day: date) -> date:
    """Return the 1 September that starts the school year of a day; see `last_day_of_school_year`."""
    return date(day.year - (day.month < 9), 9, 1)


def same_day_last_year(day: date) -> date:
    """Return the same day one year earlier; 28 February for 29 February."""
    return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)


def last_day_of_school_year(day: date) -> date:
    """Return the 31 August that ends the school year of a day.

    School years start on 1 September, as in SIECLE's files (`ANNEE_SCOLAIRE`), in every academy.
    """
    return date(day.year + (day.month >= 9), 8, 31)
