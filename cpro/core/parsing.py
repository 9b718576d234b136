"""Parse numbers and dates typed by users, given in URLs or read from files; always within bounds.

The only place where such a text becomes a number. An invalid text, or a value outside the range of the databases,
the calendar or the time zones, gives None, and the caller words the message. Only ASCII digits are accepted.
"""

from __future__ import annotations

import re
from datetime import date, datetime

#: maximum of PostgreSQL's integer
LARGEST_ID = 2**31 - 1
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
#: Separators of names in a list; a slash only between blanks, since some names contain one.
_BETWEEN = re.compile(r"[;,|\n]|\s/\s|\s+et\s+")
_FRENCH_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


def read_integer(text: object, *, smallest: int = 0, largest: int = LARGEST_ID) -> int | None:
    """Return the integer that a text writes in ASCII digits, or None if it is not one or is out of bounds."""
    written = str(text)
    if not _INTEGER.fullmatch(written):
        return None
    number = int(written)
    return number if smallest <= number <= largest else None


def read_id(text: object) -> int | None:
    """Return the id given in a URL or a form, or None if it is not a number or exceeds the databases' range."""
    return read_integer(text, smallest=1)


def read_page(text: object, *, last: int) -> int:
    """Return the page number given in a URL, from 1 to `last`: a number too high gives the last page."""
    written = str(text)
    if re.fullmatch(r"[0-9]+", written) and written.strip("0"):
        return min(read_id(written) or last, last)
    return 1


def read_number(text: str, *, largest: float = 1e15) -> float | None:
    """Return the number in a cell, with a point and an optional exponent; None for anything else, NaN or infinity.

    `largest` limits its absolute value.
    """
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if -largest <= number <= largest else None


def read_day(text: str | None) -> date | None:
    """Return the date that a text writes, or None; the operation that stores it checks its year.

    Accepts yyyy-mm-dd, as browsers with a calendar send it, and French formats: 31/12/2026, 1.9.2026, 01-09-2026.
    """
    written = (text or "").strip()
    if match := _DAY.fullmatch(written):
        return day_of(*match.groups())
    match = _FRENCH_DAY.fullmatch(written)
    return day_of(match[3], match[2], match[1]) if match else None


def read_list(text: str) -> list[str]:
    """Return the distinct names of a typed list, « 2MELEC, 1MELEC et CAP1 », trimmed, in their order."""
    return list(dict.fromkeys(name for part in _BETWEEN.split(text) if (name := part.strip())))


def day_of(year: str, month: str, day: str) -> date | None:
    """Return the date given by three texts, or None if it does not exist."""
    numbers = [read_integer(each, largest=9999) for each in (year, month, day)]
    if None in numbers:
        return None
    try:
        return date(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return None


def read_instant(text: str) -> datetime | None:
    """Return the instant written in ISO 8601 with its offset, or None, also when a time zone could overflow."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None and 1900 <= instant.year <= 9000 else None
