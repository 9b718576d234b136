"""Give each cell of a table its role and its column's name, so that a row can be shown as a card on a telephone.

Some browsers no longer announce a table whose rows are not laid out as one: the roles restore it.

Applied to the rendered HTML: some thirty templates write their own cells, and each cell would have to repeat its
column's title. Uses regular expressions, because a parser takes five times as long on a list.
"""

from __future__ import annotations

import re
from itertools import count, islice

from markupsafe import Markup

from cpro.core.parsing import read_integer

#: What is between the name of a tag and its end; a quoted value may contain a « > ».
_ATTRIBUTES = r"""[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*"""
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(rf"<(t[hd])\b({_ATTRIBUTES})>(.*?)</\1>", re.DOTALL)
_SPAN = re.compile(r"""\bcolspan=["']?(\d+)""")
_GROUP = re.compile(r"<(tr|thead|tbody)\b")
_ROLES = {"tr": "row", "thead": "rowgroup", "tbody": "rowgroup"}
#: Columns that a card shows beside the name, or below the facts.
_APART = frozenset({"", "Cocher", "Prénom", "État", "Actions"})
#: Number of facts on the card of a generated list; the page of the row shows all.
_FACTS = 2
#: Columns always shown on a card, because people decide by them: a person who has left must not be mistaken for one who
#: is present, a pupil without INE is not transferred, and a line of the journal says what changed, and of what.
_ALWAYS = frozenset({"Situation", "INE", "Objet", "Ancien → nouveau"})


def as_cards(markup: Markup) -> Markup:
    """Return the groups of a table (`<thead>`, `<tbody>`), each cell named after its column, except spanning cells.

    For lists whose rows have a page of their own, facts beyond the second of each row are marked, except those by which
    people decide.
    Raises `ValueError` for a table without a head, or with a nested table.
    """
    head, end, body = str(markup).partition("</thead>")
    if not end or "<table" in markup:
        raise ValueError("a table shown as cards has a <thead>, and no table inside: see has_cards of table_frame")
    titles = [_text_of(cell) for cell in _CELL.finditer(head)]
    head = _CELL.sub(lambda cell: _write_cell(cell, _text_of(cell), role="columnheader"), head)
    body = _ROW.sub(lambda row: _write_row(row[0], titles), body)
    return Markup(_GROUP.sub(lambda tag: f'{tag[0]} role="{_ROLES[tag[1]]}"', head + end + body))


def _text_of(cell: re.Match[str]) -> str:
    return Markup(cell[3]).striptags()


def _write_row(row: str, titles: list[str]) -> str:
    left, facts = iter(titles), count(1)

    def write(cell: re.Match[str]) -> str:
        span = _SPAN.search(cell[2])
        columns = list(islice(left, read_integer(span[1]) if span else 1))
        name = columns[0] if len(columns) == 1 else ""
        if cell[1] == "th":
            return _write_cell(cell, name, role="rowheader")
        is_more = name not in _APART | _ALWAYS and cell[3].strip() != "" and next(facts) > _FACTS
        return _write_cell(cell, name, role="cell", more=" data-more" if is_more else "")

    return _CELL.sub(write, row)


def _write_cell(cell: re.Match[str], name: str, *, role: str, more: str = "") -> str:
    label = f' data-label="{Markup.escape(name)}"' if name else ""
    return f'<{cell[1]}{cell[2]} role="{role}"{label}{more}>{cell[3].strip()}</{cell[1]}>'
