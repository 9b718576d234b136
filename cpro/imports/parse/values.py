"""Normalise values of the ministry's files for storage; pure and small, called a hundred thousand times."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache

from cpro.core.parsing import day_of, read_day
from cpro.core.validators import (
    InvalidINE,
    InvalidMEF,
    InvalidText,
    clean_person_name,
    clean_text,
    is_ine_filler,
    normalise_ine,
    normalise_mef,
)

NAME_MAX_LENGTH = 100
LABEL_MAX_LENGTH = 100
DIVISION_CODE_MAX_LENGTH = 8
ID_MAX_LENGTH = 20

#: Almost every name: precomposed letters, hence NFC, between single separators. Without Œ, œ and Ÿ, which may also be
#: the second half of a UTF-8 letter read as Windows-1252: names with those are examined.
_PLAIN_NAME = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+(?:[ '-][A-Za-zÀ-ÖØ-öø-ÿ]+)*")
_STRAY_QUOTES = re.compile(r'["“”«»]')
_FRENCH_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_PLAIN_INE = re.compile(r"[0-9]{9}[0-9A-Z][A-Z]")
_OLDEST_YEAR = 1900
#: What may be found instead of an INE.
FILLER, MALFORMED = "filler", "malformed"


_MONTHS = "janv|févr|fevr|mars|avr|mai|juin|juil|août|aout|sept|oct|nov|déc|dec"
_ALTERED = re.compile(
    rf"[0-9](?:[.,][0-9]+)?E[+-][0-9]{{2}}|[0-9]{{1,2}}-(?:{_MONTHS})\.?|(?:{_MONTHS})\.?-[0-9]{{2}}"
    r"|[0-9]{2}/[0-9]{2}/[0-9]{4}|vrai|faux|true|false|[0-9]+[.,][0-9]+",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def clean_name(text: str) -> str:
    """Return the name without stray quotes or superfluous blanks; raises InvalidText as `clean_text` does."""
    if len(text) <= NAME_MAX_LENGTH and _PLAIN_NAME.fullmatch(text):
        return text
    line = clean_person_name(
        text, max_length=NAME_MAX_LENGTH
    )  # before removing quotes: « and » may be parts of misread letters
    return " ".join(_STRAY_QUOTES.sub(" ", line).split()).strip(" '’")


def clean_label(text: str) -> str:
    """Return the label, trimmed; raises InvalidText as `clean_text` does."""
    return clean_text(text, max_length=LABEL_MAX_LENGTH)


@lru_cache(maxsize=16384)
def parse_date(text: str) -> dt.date:
    """Return the date written as dd/mm/yyyy; raises ValueError for any other text and for years before 1900."""
    match = _FRENCH_DATE.fullmatch(text)
    if not match:
        raise ValueError(f"not a date: {text!r}")
    day, month, year = match.groups()
    found = day_of(year, month, day)
    if found is None or found.year < _OLDEST_YEAR:
        raise ValueError(f"no such day, or too long ago: {text!r}")
    return found


@lru_cache(maxsize=16384)
def parse_table_date(text: str) -> dt.date:
    """Return a date in the usual forms of tables: 1/9/2026, 01-09-2026, 01.09.2026, 2026-09-01; raises ValueError."""
    found = read_day(text)
    if found is None or found.year < _OLDEST_YEAR:
        raise ValueError(f"not a date: {text!r}")
    return found


def effective_ine(candidates: Iterable[str | None]) -> tuple[str, str]:
    """Return the first well-formed INE or "", and what was found instead: FILLER, MALFORMED or ""."""
    problem = ""
    for candidate in candidates:
        if candidate:
            if _PLAIN_INE.fullmatch(candidate) and not is_ine_filler(candidate):
                return candidate, ""
            try:
                return normalise_ine(candidate), ""
            except InvalidINE:
                problem = FILLER if is_ine_filler(candidate) else MALFORMED
    return "", problem


@lru_cache(maxsize=4096)
def clean_mef(text: str) -> str | None:
    """Return the MEF code (11 digits, possibly followed by capitals), None if the text cannot be one."""
    try:
        return normalise_mef(text) or None
    except InvalidMEF:
        return None


@lru_cache(maxsize=4096)
def clean_division_code(text: str, *, max_length: int = DIVISION_CODE_MAX_LENGTH) -> str | None:
    """Return the normalised code of a division, as text even if it is all digits; None if it cannot be one.

    NFC, each run of blanks (no-break ones too) as one space, without invisible characters; eight characters at most,
    unless names are accepted as well.
    """
    try:
        return clean_text(text, max_length=max_length) or None
    except InvalidText:
        return None


def is_altered_by_spreadsheet(code: str) -> bool:
    """Return whether a code looks like one that a spreadsheet converted to a number, a date or a boolean.

    2E3 becomes 2,00E+03, 1/2 becomes 01-févr or 01/02/2026, VRAI stands for 1; no school has such codes. 2E20 without a
    sign is a code that a person typed.
    """
    return bool(_ALTERED.fullmatch(code))


def clean_id(text: str) -> str | None:
    """Return an internal number of the ministry's applications, None if the text cannot be one."""
    code = text.strip()
    return code if 0 < len(code) <= ID_MAX_LENGTH and code.isascii() and code.isprintable() else None
