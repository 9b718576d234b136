"""Days of the schools of the tests, which keep Paris time."""

from __future__ import annotations

from datetime import date, timedelta

from cpro.core import clock


def today() -> date:
    """Return the current date in Paris: from 22:00 or 23:00 UTC on, it is one later than the machine's."""
    return clock.today_in("", clock.utcnow())


def days_from_today(days: int) -> date:
    """Return a day to come, at the latest the last of the school year: no access outlasts it."""
    return min(today() + timedelta(days=days), clock.last_day_of_school_year(today()))
