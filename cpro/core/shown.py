"""Describe how a mapped attribute is labelled, read, filtered and typed, beside it in the model (`info=shown(…)`).

Generated screens, their forms and exports, and the names of fields in the journal are built from it
(`core.web.screens`). Nothing here depends on the web, so models can use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, Integer

from cpro.core.codes import find_offered
from cpro.core.formatting import format_date, lower_first
from cpro.core.parsing import read_day
from cpro.core.permissions import Permission
from cpro.core.types import UTCDateTime
from cpro.core.validators import fold

Condition = ColumnElement[bool]
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Filter:
    """One filter above a list: `key` is its URL parameter, `where` gives the condition for a value.

    With `everything` (its text when nothing is filtered) it is a drop-down of `choices`, meant to be few. With
    `coded` (same text) it is a drop-down of codes, and a URL may give a code or a label as people write it. With
    neither, the value is typed, and exact. A `day` ("from" or "until": which rows are kept) is typed in the
    browser's calendar. On a column, the label, choices and condition default to those of the column's kind.
    """

    key: str
    label: str = ""
    everything: str = ""
    coded: str = ""
    where: Callable[[Any], Condition] | None = None
    choices: Callable[[], Choices] | None = None
    day: str = ""
    #: the name of the group of a choice, in a drop-down too long to be read without groups
    group: Callable[[str], str] | None = None
    #: the condition of the list while the filter is not used; None for no condition
    otherwise: Callable[[], Condition] | None = None
    #: the permission to read its choices, where the list itself requires less; without it, the filter is not shown
    permission: Permission | None = None

    @property
    def kind(self) -> str:
        """Return how the value is given: "choice", "code", "text" or "date"."""
        if self.day:
            return "date"
        return "choice" if self.everything else "code" if self.coded else "text"

    def read(self, text: str) -> Condition | None:
        """Return the condition for the value given in the URL, or None when it is invalid."""
        assert self.where is not None, f"{self.key}: name a filter of a column, or give its condition"
        if self.everything:
            return self.where(text) if self.choices and text in dict(self.choices()) else None
        value = read_day(text) if self.day else text.strip()
        return self.where(value) if value else None

    def problem(self, text: str) -> str:
        """Return a sentence on why a value filters nothing, or "" when it is valid."""
        expected = ""
        if self.day and read_day(text) is None:
            expected = "une date"
        elif self.everything and not (self.choices and text in dict(self.choices())):
            expected = "un choix de la liste"
        sentence = (
            f"«\u202f{text}\u202f» n’est pas {expected}\u202f: le filtre «\u202f{self.label}\u202f» est laissé de côté."
        )
        return sentence if expected else ""

    def offer(self, text: str) -> list[tuple[str, str, bool]]:
        """Return (value, label, whether it is the selected one) for each choice.

        A selected code that no row has is kept: what filters the list is always visible.
        """
        offered = list(self.choices()) if self.choices else []
        value = find_offered(offered, text) if self.coded else text
        if self.coded:
            offered = [(code, name_code(code, label)) for code, label in offered]
            if text and not value:
                value, offered = text, [*offered, (text, text)]
        return [(each, words, each == value) for each, words in offered]

    def offer_groups(self, text: str) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """Return the choices of `offer` by group, the groups sorted by name; none for a filter without groups."""
        groups: dict[str, list[tuple[str, str, bool]]] = {}
        if self.group is not None:
            for choice in self.offer(text):
                groups.setdefault(self.group(choice[0]), []).append(choice)
        return sorted(groups.items(), key=lambda each: fold(each[0]))

    def phrase(self, text: str) -> str:
        """Return the value as worded in a sentence."""
        if self.everything:
            return dict(self.choices()).get(text, text) if self.choices else text
        label, day = lower_first(self.label), read_day(text) if self.day else None
        return f"{label} {format_date(day)}" if day else f"{label} «\u202f{text}\u202f»"


def name_code(code: str, label: str) -> str:
    """Return the label of a code in a list of choices."""
    return f"{code} – {label}" if label else code


def words_of(members: Iterable[Any], of: str = "label") -> Callable[[], Choices]:
    """Return a function that lists the members of an enum as (value, attribute `of`)."""
    return lambda: [(each.value, getattr(each, of)) for each in members]


def choice(
    key: str,
    label: str,
    everything: str,
    options: Sequence[tuple[str, str, Callable[[], Condition]]],
    *,
    otherwise: Callable[[], Condition] | None = None,
) -> Filter:
    """Return a filter over fixed options, each a value, a label and its condition; see `Filter.otherwise`."""
    conditions = {value: condition for value, _label, condition in options}
    return Filter(
        key,
        label,
        everything,
        where=lambda value: conditions[value](),
        choices=lambda: [(value, text) for value, text, _condition in options],
        otherwise=otherwise,
    )


@dataclass(frozen=True)
class Shown:
    """How a mapped attribute is presented to users.

    `kind` names how values are read, masked and typed (`core.web.screens.kinds`); derived from the column's type
    when it is not given.
    """

    label: str
    kind: str = ""
    #: its name in the URL of a sorted list, when it is not the attribute's
    key: str = ""
    #: the columns that sort a list by this attribute; True: the attribute itself or, where rows are few, the label of
    #: another row
    sort: str | bool | Sequence[str] = False
    in_list: bool = True
    #: the text when there is no value
    blank: str = ""
    #: formats a value, when its kind would do otherwise
    reads: Callable[[Any], str] | None = None
    #: the columns a property reads on its row, for exports, which do not load whole rows; otherwise they do
    needs: Sequence[str] = ()
    #: for another row or an enum member: the attribute that gives the label
    of: str = ""
    #: the label of its form field, when it is not the column's, and the help text under it
    typed: str = ""
    help: str = ""
    #: for a code to be chosen, the label of the empty choice
    nothing: str = "aucune"
    #: the values of the form's drop-down, with their labels
    choices: Mapping[str, str] | None = None
    filters: Sequence[Filter] = ()


class _Computed(property):
    """A property that describes its presentation, as a column does."""

    info: dict[str, Any]


#: The attribute that labels a related row or an enum member by default; rows are typed by their code.
_WORDS = {"relation": "code", "lookup": "code", "choice": "label"}


def shown(label: str, kind: str = "", **details: Any) -> dict[str, Any]:
    """Return the `info` of a mapped column or relationship; see `Shown`."""
    return {"shown": Shown(label, kind, **details)}


def computed(label: str, **details: Any) -> Callable[[Callable[[Any], Any]], Any]:
    """Decorate a property of a model to make it one of the shown attributes; see `Shown`."""

    def mark(read: Callable[[Any], Any]) -> Any:
        made = _Computed(read)
        made.info = shown(label, "text", **details)
        return made

    return mark


def shown_names(model: type[Any]) -> list[str]:
    """Return the attributes of a model that are shown, in declaration order."""
    return [name for name in vars(model) if "shown" in (getattr(getattr(model, name), "info", None) or {})]


def shown_of(model: type[Any], name: str) -> Shown:
    """Return how an attribute is presented, its kind derived from the column when not given."""
    attribute = getattr(model, name)
    found: Shown = attribute.info["shown"]
    kind = found.kind or _kind_of(attribute)
    return replace(found, kind=kind, of=found.of or _WORDS.get(kind, ""))


def labels_of(model: type[Any], names: Iterable[str] = ()) -> dict[str, str]:
    """Return the labels of the form fields of some attributes, or of all."""
    said = {name: shown_of(model, name) for name in tuple(names) or shown_names(model)}
    return {name: each.typed or each.label for name, each in said.items()}


def _kind_of(attribute: Any) -> str:
    if hasattr(attribute.property, "mapper"):
        return "relation"
    column = attribute.property.columns[0].type
    kinds = {Date: "day", UTCDateTime: "instant", Boolean: "yes_or_no", Integer: "number"}
    found = next((kind for each, kind in kinds.items() if isinstance(column, each)), "text")
    return "choice" if hasattr(column, "members") else found
