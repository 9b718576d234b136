"""The access table: what each person gets of each page, read from `tests/access_table.csv`.

A column is a person, by name: the name of a role (with « inside » for an inspector who entered a school), or nobody
signed in. A new role is one column, wherever it stands. « in » is a redirect to the sign-in page, « choose » one to the
choice of a school.
"""

from __future__ import annotations

import csv
from pathlib import Path

IN, CHOOSE = "in", "choose"
Outcome = int | str

_FILE = Path(__file__).resolve().parent.parent / "access_table.csv"


def _read() -> tuple[list[str], dict[str, dict[str, dict[str, Outcome]]]]:
    """Return the people, and {method: {page: {person: what they get}}}."""
    with _FILE.open(newline="", encoding="utf-8") as source:
        table = csv.DictReader(source)
        people = [name for name in table.fieldnames or () if name not in ("method", "page")]
        lines: dict[str, dict[str, dict[str, Outcome]]] = {}
        for line in table:
            page = lines.setdefault(line["method"], {}).setdefault(line["page"], {})
            assert not page, f"{line['method']} {line['page']} has two lines"
            page.update({person: _outcome(line[person]) for person in people})
    return people, lines


def _outcome(text: str) -> Outcome:
    assert text in (IN, CHOOSE) or text.isdecimal(), f"« {text} » is no outcome"
    return int(text) if text.isdecimal() else text


PEOPLE, _LINES = _read()
#: {page: {person: what they get}}; 404 where there is nothing to see yet, the right being there
GET = _LINES["GET"]
#: empty posts: 422, 404 or 303 mean that the right is there; nobody without it gets past 403
POST = _LINES["POST"]
