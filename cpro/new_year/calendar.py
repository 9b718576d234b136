"""When a school year is prepared, and from which day actions count for it."""

from __future__ import annotations

from datetime import date

#: From July on, schools prepare the year that begins in September.
_FIRST_MONTH = 7
#: The months in which the dashboard links to the steps.
_SEASON = range(7, 11)


def prepared_year(today: date) -> int:
    """Return the calendar year in which the school year being prepared starts: from July on, the next one."""
    return today.year if today.month >= _FIRST_MONTH else today.year - 1


def is_season(today: date) -> bool:
    """Return whether a new school year is being prepared: from July to October."""
    return today.month in _SEASON


def first_day(year: int) -> date:
    """Return the day from which actions count for a school year."""
    return date(year, _FIRST_MONTH, 1)
