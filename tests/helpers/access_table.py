"""The access table: the response of each page to each person, read from `tests/access_table.csv`.

A column is a person, by name: a role (with « inside » for an inspector who entered a school), or an anonymous visitor.
A new role is one column, in any position. « in » is a redirect to the sign-in page, « choose » one to the choice of a
school.
"""

from __future__ import annotations

import csv
from pathlib import Path

IN, CHOOSE = "in", "choose"
Outcome = int | str

_FILE = Path(__file__).resolve().parent.parent / "access_table.csv"


def _read() -> tuple[list[str], dict[str, dict[str, dict[str, Outcome]]]]:
    """Return the people, and {method: {page: {person: expected response}}}."""
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
#: {page: {person: expected response}}; 404 where the permission exists but there is nothing to show yet
GET = _LINES["GET"]
#: empty POSTs: 422, 404 or 303 mean that the person has the permission; without it the response is 403
POST = _LINES["POST"]
