"""What a screen is made of besides filters: columns, and actions on the rows ticked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import g

from cpro.core.formatting import plural
from cpro.core.permissions import Permission

Found = TypeVar("Found")


@dataclass(frozen=True)
class Stored:
    """An attribute that a column shows, and what reads its values: for whoever asks now, asked once for many rows."""

    name: str
    #: what is read where there is no value
    blank: str
    text: Callable[[], Callable[[Any], str]]
    #: the same, as workbooks hold it: a day, an instant or a figure is none of text
    cell: Callable[[], Callable[[Any], Any]]
    #: of a relationship, the attribute of the other row that is read
    of: str = ""

    def text_of(self, row: Any) -> str:
        """Return the text of a row."""
        return str(self._read(row, self.text))

    def cell_of(self, row: Any) -> Any:
        """Return what a workbook holds of a row."""
        return self._read(row, self.cell)

    def _read(self, row: Any, reader: Callable[[], Callable[[Any], Any]]) -> Any:
        value = getattr(row, self.name)
        if value is None:
            return self.blank
        return reader()(getattr(value, self.of) if self.of else value)


@dataclass(frozen=True)
class Column:
    """One column: `value` gives the text of a row, `sort` what the database orders by (empty: not sortable)."""

    key: str
    label: str
    value: Callable[[Any], str]
    sort: tuple[Any, ...] = ()
    in_list: bool = True
    #: right-aligned, as figures are
    is_number: bool = False
    #: a text of several lines, which keeps a readable width on a telephone
    is_long: bool = False
    #: the relationship that `value` reads, loaded with the rows
    loads: Any = None
    #: the attribute that it shows, where it shows one as it is
    stored: Stored | None = None
    #: where it does not, the attributes that `value` reads, so that an export loads no row; without any, it loads them
    needs: Sequence[str] = ()

    @property
    def css(self) -> str:
        """Return the class of its cells, "" for none."""
        return "number" if self.is_number else "long" if self.is_long else ""


@dataclass(frozen=True)
class ListedRow:
    """One row of a list, as its template draws it."""

    id: int
    #: what people call it among namesakes; alone of its page to be called so
    full_label: str
    #: its page, the text that leads there, and what that link is called where it is heard out of its row
    url: str
    heading: str
    link_name: str
    #: the other columns, each a class of the style sheets, or "", a text, and the level of a state, or ""
    cells: Sequence[tuple[str, str, str]]
    #: what may be done to it, as (label, address)
    actions: Sequence[tuple[str, str]]
    #: why it has no tick box; "" when it has one
    why_no_box: str = ""


@dataclass(frozen=True)
class BulkAction:
    """An action on the rows ticked: confirmed on a page of its own, then done in one transaction.

    One that has its own page to be confirmed on only says where it is (`leads_to`).
    """

    key: str
    label: str
    permission: Permission
    #: the action on so many rows, as its title, question and button say it: a verb and its object; None where the
    #: label is a verb alone, whose object is the rows (« Désactiver 2 utilisateurs »)
    asked: Callable[[int], str] | None = None
    #: what will happen, one line each, from the labels of the rows
    consequences: Callable[[Sequence[str]], Sequence[str]] = lambda labels: []
    #: do it on rows by id; judges each anew, leaves out those that it may not touch, and says what was done
    run: Callable[..., str] = lambda ids, *, by, now: ""
    #: the rows that the action leaves out, by id, each with its sentence; alone in a list, or `together` as they are
    #: ticked
    left_out: Callable[..., Mapping[int, str]] = lambda rows, *, by, together: {}
    danger: bool = False
    #: the address of the page that asks and acts, from the ids of the rows
    leads_to: Callable[[Sequence[int]], str] | None = None

    def describe(self, number: int, noun: tuple[str, str]) -> str:
        """Return the action on so many rows, as the page that confirms it says it."""
        return self.asked(number) if self.asked else f"{self.label} {plural(number, *noun)}"


def once(name: str, read: Callable[[], Found]) -> Found:
    """Return what a list reads once for all of its rows, kept under a name until the request ends."""
    if name not in g:
        setattr(g, name, read())
    found: Found = getattr(g, name)
    return found
