"""Read the numbers and days that a person typed, that an address asks for or that a file holds; never without bounds.

The one place where such a text becomes a number: what is none, or lies beyond what the databases, the calendar or the
time zones take, is None, and the caller says so in its own words. Digits are ASCII digits.
"""

from __future__ import annotations

import re
from datetime import date, datetime

#: what PostgreSQL's integer holds
LARGEST_ID = 2**31 - 1
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
#: What people put between the names of a list; a slash between blanks, since names hold some.
_BETWEEN = re.compile(r"[;,|\n]|\s/\s|\s+et\s+")
_FRENCH_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


def read_integer(text: object, *, smallest: int = 0, largest: int = LARGEST_ID) -> int | None:
    """Return the whole number that a text writes in ASCII digits, or None: no number, or one out of bounds."""
    written = str(text)
    if not _INTEGER.fullmatch(written):
        return None
    number = int(written)
    return number if smallest <= number <= largest else None


def read_id(text: object) -> int | None:
    """Return the id that an address or a form holds, or None: a word is no id, nor a number no database takes."""
    return read_integer(text, smallest=1)


def read_page(text: object, *, last: int) -> int:
    """Return the number of a page that an address asks for, from 1 to the last: a page too far is the last."""
    written = str(text)
    if re.fullmatch(r"[0-9]+", written) and written.strip("0"):
        return min(read_id(written) or last, last)
    return 1


def read_number(text: str, *, largest: float = 1e15) -> float | None:
    """Return the number that a cell holds, with a point and perhaps an exponent; None for any other, NaN and infinity.

    `largest` bounds it on either side of zero.
    """
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if -largest <= number <= largest else None


def read_day(text: str | None) -> date | None:
    """Return the day that a text writes, or None; the operation that stores it judges its year.

    It is written yyyy-mm-dd, as browsers with a calendar send it, or as people do: 31/12/2026, 1.9.2026, 01-09-2026.
    """
    written = (text or "").strip()
    if match := _DAY.fullmatch(written):
        return day_of(*match.groups())
    match = _FRENCH_DAY.fullmatch(written)
    return day_of(match[3], match[2], match[1]) if match else None


def read_list(text: str) -> list[str]:
    """Return the names of a list as people write it, « 2MELEC, 1MELEC et CAP1 », each once, trimmed, in its order."""
    return list(dict.fromkeys(name for part in _BETWEEN.split(text) if (name := part.strip())))


def day_of(year: str, month: str, day: str) -> date | None:
    """Return the day of the calendar that three texts name, or None."""
    numbers = [read_integer(each, largest=9999) for each in (year, month, day)]
    if None in numbers:
        return None
    try:
        return date(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return None


def read_instant(text: str) -> datetime | None:
    """Return the instant written in ISO 8601 with its offset, or None; none so far off that a time zone overflows."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None and 1900 <= instant.year <= 9000 else None
