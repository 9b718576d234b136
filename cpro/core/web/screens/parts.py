"""The parts of a screen besides filters: columns, and bulk actions on the ticked rows."""

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
    """An attribute shown by a column, with the formatters of its values, created once per list for the current user."""

    name: str
    #: the text of an empty value
    blank: str
    text: Callable[[], Callable[[Any], str]]
    #: the formatter of workbook values: days, instants and numbers are not text there
    cell: Callable[[], Callable[[Any], Any]]
    #: for a relationship, the attribute of the related row to read
    of: str = ""

    def text_of(self, row: Any) -> str:
        """Return the text of a row."""
        return self.open_texts()(row)

    def open_texts(self) -> Callable[[Any], str]:
        """Return what reads the text of each row: what depends on the reader or the school is found once."""
        read = self._open(self.text)
        return lambda row: str(read(row))

    def open_cells(self) -> Callable[[Any], Any]:
        """Return what reads the workbook value of each row."""
        return self._open(self.cell)

    def _open(self, reader: Callable[[], Callable[[Any], Any]]) -> Callable[[Any], Any]:
        show = reader()

        def read(row: Any) -> Any:
            value = getattr(row, self.name)
            if value is None:
                return self.blank
            return show(getattr(value, self.of) if self.of else value)

        return read


@dataclass(frozen=True)
class Column:
    """One column: `value` returns the text of a row, `sort` is its ORDER BY (empty: not sortable)."""

    key: str
    label: str
    value: Callable[[Any], str]
    sort: tuple[Any, ...] = ()
    in_list: bool = True
    #: right-aligned, for numbers
    is_number: bool = False
    #: a text of several lines, which keeps a readable width on a telephone
    is_long: bool = False
    #: the relationship that `value` reads, loaded with the rows
    loads: Any = None
    #: the attribute, if the column shows one as is
    stored: Stored | None = None
    #: otherwise the attributes that `value` reads, so that an export loads no objects; if empty, it loads them
    needs: Sequence[str] = ()

    def open_texts(self) -> Callable[[Any], str]:
        """Return what reads the text of each row of a list."""
        return self.stored.open_texts() if self.stored else self.value

    @property
    def css(self) -> str:
        """Return the CSS class of its cells, "" for none."""
        return "number" if self.is_number else "long" if self.is_long else ""


@dataclass(frozen=True)
class ListedRow:
    """One row of a list, as its template renders it."""

    id: int
    #: its name that distinguishes it from namesakes; unique on the page
    full_label: str
    #: its page, the link's text, and the link's accessible name, which makes sense out of its row
    url: str
    heading: str
    link_name: str
    #: the other columns, each a CSS class or "", a text, and the level of a state or ""
    cells: Sequence[tuple[str, str, str]]
    #: the available actions, as (label, URL)
    actions: Sequence[tuple[str, str]]
    #: its id in the page, where its own page leads back
    anchor: str
    #: why it has no tick box; "" if it has one
    why_no_box: str = ""


@dataclass(frozen=True)
class BulkAction:
    """An action on the ticked rows: confirmed on a page of its own, then run in one transaction.

    An action with its own confirmation page only gives its URL (`leads_to`).
    """

    key: str
    label: str
    permission: Permission
    #: the action on so many rows, for its title, question and button: a verb and its object; None if the label is a
    #: verb alone, whose object is the rows (« Désactiver 2 utilisateurs »)
    asked: Callable[[int], str] | None = None
    #: the consequences, one line each, from the labels of the rows
    consequences: Callable[[Sequence[str]], Sequence[str]] = lambda labels: []
    #: runs it on rows by id; checks each again, leaves out those that are not allowed, and returns the message
    run: Callable[..., str] = lambda ids, *, by, now: ""
    #: the rows that the action leaves out, by id, each with a sentence; each on its own in a list, or `together` as
    #: they are ticked
    left_out: Callable[..., Mapping[int, str]] = lambda rows, *, by, together: {}
    danger: bool = False
    #: the URL of the page that confirms and runs the action, from the ids of the rows
    leads_to: Callable[[Sequence[int]], str] | None = None

    def describe(self, number: int, noun: tuple[str, str]) -> str:
        """Return the label of the action on so many rows, for its confirmation page."""
        return self.asked(number) if self.asked else f"{self.label} {plural(number, *noun)}"


def once(name: str, read: Callable[[], Found]) -> Found:
    """Return what a list reads once for all of its rows, cached under a name for the request."""
    if name not in g:
        setattr(g, name, read())
    found: Found = getattr(g, name)
    return found
