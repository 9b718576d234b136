"""Compare codes typed by people or read from files, ignoring differences of case, accents and blanks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cpro.core.validators import fold, trim
from cpro.extensions import db

#: What comparing codes ignores (`fold_code`), as worded in sentences.
NOT_IN_CODES = "la casse, les accents ou les espaces"


def fold_code(code: str) -> str:
    """Return the comparison key of a code: without case, accents or blanks, even inside."""
    return "".join(fold(trim(code)).split())


def find_coded(model: Any, text: str) -> list[int]:
    """Return the ids of the rows whose code matches a text as in a search: ignoring case, accents and blanks.

    For small tables: their codes are folded in Python.
    """
    wanted = fold_code(text)
    codes = db.session.execute(select(model.id, model.code))
    return [row_id for row_id, code in codes if fold_code(code) == wanted]


def find_named(model: Any, text: str) -> list[int]:
    """Return the ids of the rows with exactly this code; failing that, those whose code, else label, matches it folded.

    For small tables, like `find_coded`.
    """
    rows = db.session.execute(select(model.id, model.code, model.label)).all()
    exact, wanted = [row.id for row in rows if row.code == text], fold_code(text)
    coded = exact or [row.id for row in rows if fold_code(row.code) == wanted]
    return coded or [row.id for row in rows if wanted and fold_code(row.label) == wanted]


def find_offered(offered: Sequence[tuple[str, str]], text: str) -> str:
    """Return the code, among those offered, that a text designates, matched like `find_named`; "" when none does."""
    wanted = fold_code(text)
    named = [code for code, label in offered if wanted and wanted in (fold_code(code), fold_code(label))]
    by_code = [code for code in named if fold_code(code) == wanted]
    return text if text in named else next(iter(by_code or named), "")
