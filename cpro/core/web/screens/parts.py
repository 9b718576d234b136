"""What a screen is declared with: columns, filters, bulk actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement

from cpro.core.parsing import read_day
from cpro.core.permissions import Permission

Condition = ColumnElement[bool]
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Column:
    """One column: `value` gives the text of a row, `sort` what the database orders by (empty: not sortable)."""

    key: str
    label: str
    value: Callable[[Any], str]
    sort: tuple[Any, ...] = ()
    in_list: bool = True
    in_details: bool = True
    #: right-aligned, as figures are
    is_number: bool = False
    #: a text of several lines, which keeps a readable width on a telephone
    is_long: bool = False


@dataclass(frozen=True)
class Filter:
    """One drop-down of the sentence above a list.

    `choices` are value and label, few by nature; `where` gives the condition of a value; `everything` is what the
    drop-down says when it filters nothing.
    """

    key: str
    label: str
    choices: Callable[[], Choices]
    where: Callable[[str], Condition]
    everything: str
    kind: str = field(default="choice", init=False)

    def read(self, text: str) -> Condition | None:
        """Return the condition of what the address asks, or None when it is not one of the choices."""
        return self.where(text) if text in {value for value, _label in self.choices()} else None

    def phrase(self, text: str) -> str:
        """Return how the choice reads in a sentence."""
        return dict(self.choices()).get(text, text)


@dataclass(frozen=True)
class TextFilter:
    """One line of the sentence that is typed: exact, for what has too many values to be listed."""

    key: str
    label: str
    where: Callable[[str], Condition]
    #: a few values, offered under the field
    suggestions: Callable[[], Choices] | None = None
    everything: str = ""
    kind: str = field(default="text", init=False)

    def read(self, text: str) -> Condition | None:
        """Return the condition of what was typed."""
        return self.where(text.strip()) if text.strip() else None

    def phrase(self, text: str) -> str:
        """Return how it reads in a sentence."""
        return f"{self.label.lower()} « {text} »"


@dataclass(frozen=True)
class DateFilter:
    """A day, from or until which rows are kept."""

    key: str
    label: str
    where: Callable[[date], Condition]
    everything: str = ""
    kind: str = field(default="date", init=False)

    def read(self, text: str) -> Condition | None:
        """Return the condition of a day written yyyy-mm-dd, or None when it is not one."""
        day = read_day(text)
        return None if day is None else self.where(day)

    def phrase(self, text: str) -> str:
        """Return how it reads in a sentence."""
        return f"{self.label.lower()} {text}"


AnyFilter = Filter | TextFilter | DateFilter


def choice(
    key: str, label: str, everything: str, options: Sequence[tuple[str, str, Callable[[], Condition]]]
) -> Filter:
    """Return a filter over fixed options, each a value, a label and its condition."""
    conditions = {value: condition for value, _label, condition in options}
    return Filter(
        key,
        label,
        choices=lambda: [(value, text) for value, text, _condition in options],
        where=lambda value: conditions[value](),
        everything=everything,
    )


@dataclass(frozen=True)
class BulkAction:
    """An action on the rows ticked: confirmed on a page of its own, then done in one transaction.

    One that has its own page to be confirmed on only says where it is (`leads_to`).
    """

    key: str
    label: str
    permission: Permission
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
