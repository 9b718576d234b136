"""Read the codes that people type or files carry, as those who read them do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from cpro.core.validators import fold, trim
from cpro.extensions import db

#: What does not count in a code (`fold_code`), as sentences say it.
NOT_IN_CODES = "la casse, les accents ou les espaces"


def fold_code(code: str) -> str:
    """Return what a code has in common with those that read the same: no case, accents nor blanks, even inside."""
    return "".join(fold(trim(code)).split())


def find_coded(model: Any, text: str) -> list[int]:
    """Return the ids of the rows whose code reads as a text, as a search would: case, accents and blanks do not count.

    For tables of few rows: their codes are folded here.
    """
    wanted = fold_code(text)
    codes = db.session.execute(select(model.id, model.code))
    return [row_id for row_id, code in codes if fold_code(code) == wanted]


def find_named(model: Any, text: str) -> list[int]:
    """Return the ids of the rows of a code; where none has it, of those whose code, else label, reads as it.

    For tables of few rows, as `find_coded`.
    """
    rows = db.session.execute(select(model.id, model.code, model.label)).all()
    exact, wanted = [row.id for row in rows if row.code == text], fold_code(text)
    coded = exact or [row.id for row in rows if fold_code(row.code) == wanted]
    return coded or [row.id for row in rows if wanted and fold_code(row.label) == wanted]


def find_offered(offered: Sequence[tuple[str, str]], text: str) -> str:
    """Return the code offered that a text names, as `find_named` reads it; "" where none does."""
    wanted = fold_code(text)
    named = [code for code, label in offered if wanted and wanted in (fold_code(code), fold_code(label))]
    by_code = [code for code in named if fold_code(code) == wanted]
    return text if text in named else next(iter(by_code or named), "")
