"""The cells of a table, each with its role and the name of its column: what lets a row be a card on a telephone.

Once its rows are no longer laid out as a table, some browsers no longer tell it as one: the roles do.
"""

from __future__ import annotations

import re
from itertools import count

from markupsafe import Markup

_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
_GROUP = re.compile(r"<(tr|thead|tbody)\b")
_ROLES = {"tr": "row", "thead": "rowgroup", "tbody": "rowgroup"}
#: Columns that a card shows beside the name, or below the facts.
_APART = frozenset({"", "Cocher", "Prénom", "État", "Actions"})
#: A card of a generated list shows as many facts; the page of the row says all.
_FACTS = 2
#: What a card says whatever the facts before it: somebody who has left is not to be taken for somebody present.
_ALWAYS = frozenset({"Situation"})


def as_cards(markup: Markup) -> Markup:
    """Return the groups of a table (`<thead>`, `<tbody>`), each cell named by its column.

    No table stands in another, and no cell over two columns. Facts beyond the second of each row are marked, but the
    situation, for lists whose rows have a page of their own.
    """
    head, end, body = str(markup).partition("</thead>")
    names = [Markup(each).striptags() for each in _HEADING.findall(head)]
    head = _CELL.sub(lambda cell: _named(cell, Markup(cell[3]).striptags(), role="columnheader"), head)
    body = _ROW.sub(lambda row: _row(row[0], names), body)
    return Markup(_GROUP.sub(lambda tag: f'{tag[0]} role="{_ROLES[tag[1]]}"', head + end + body))


def _row(row: str, names: list[str]) -> str:
    left, facts = iter(names), count(1)

    def named(cell: re.Match[str]) -> str:
        name = next(left, "")
        if cell[1] == "th":
            return _named(cell, name, role="rowheader")
        is_more = name not in _APART | _ALWAYS and cell[3].strip() != "" and next(facts) > _FACTS
        return _named(cell, name, role="cell", more=" data-more" if is_more else "")

    return _CELL.sub(named, row)


def _named(cell: re.Match[str], name: str, *, role: str, more: str = "") -> str:
    told = f' data-label="{Markup.escape(name)}"' if name else ""
    return f'<{cell[1]}{cell[2]} role="{role}"{told}{more}>{cell[3].strip()}</{cell[1]}>'
