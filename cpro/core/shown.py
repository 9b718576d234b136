"""How a mapped attribute is called, read, sought and typed: said once, beside it in the model (`info=shown(…)`).

Generated screens, their forms and exports, and the names that the journal gives to fields are made from it
(`core.web.screens`). Nothing here knows the web: models say it of their columns.
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

Condition = ColumnElement[bool]
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Filter:
    """One line of the sentence above a list: `key` in addresses, `where` gives the condition of a value.

    With `everything`, what it says when it filters nothing, it is a drop-down of `choices`, few by nature; with
    `coded`, which says it too, one of codes, where an address may hold a code or a label as people write it; with
    neither, the value is typed, exact; a `day`, "from" or "until" which rows are kept, is typed in the browser's
    calendar. Beside a column, what is not given of label, choices and condition is that of its kind.
    """

    key: str
    label: str = ""
    everything: str = ""
    coded: str = ""
    where: Callable[[Any], Condition] | None = None
    choices: Callable[[], Choices] | None = None
    day: str = ""
    #: the right to read what it offers, where that is more than the list shows; without it, it is not there
    permission: Permission | None = None

    @property
    def kind(self) -> str:
        """Return how the value is given: chosen, by its code or not, typed, or a day."""
        if self.day:
            return "date"
        return "choice" if self.everything else "code" if self.coded else "text"

    def read(self, text: str) -> Condition | None:
        """Return the condition of what the address asks, or None when it makes no sense."""
        assert self.where is not None, f"{self.key}: name a filter of a column, or give its condition"
        if self.everything:
            return self.where(text) if self.choices and text in dict(self.choices()) else None
        value = read_day(text) if self.day else text.strip()
        return self.where(value) if value else None

    def problem(self, text: str) -> str:
        """Return why a value filters nothing, in a sentence; "" when it makes sense."""
        expected = ""
        if self.day and read_day(text) is None:
            expected = "une date"
        elif self.everything and not (self.choices and text in dict(self.choices())):
            expected = "un choix de la liste"
        told = (
            f"«\u202f{text}\u202f» n’est pas {expected}\u202f: le filtre «\u202f{self.label}\u202f» est laissé de côté."
        )
        return told if expected else ""

    def offer(self, text: str) -> list[tuple[str, str, bool]]:
        """Return value, words and whether it is the one asked for, of all that may be chosen.

        Of codes, one that is asked for and that nobody has stays: what filters the list is always seen.
        """
        offered = list(self.choices()) if self.choices else []
        value = find_offered(offered, text) if self.coded else text
        if self.coded:
            offered = [(code, name_code(code, label)) for code, label in offered]
            if text and not value:
                value, offered = text, [*offered, (text, text)]
        return [(each, words, each == value) for each, words in offered]

    def phrase(self, text: str) -> str:
        """Return how the value reads in a sentence."""
        if self.everything:
            return dict(self.choices()).get(text, text) if self.choices else text
        label, day = lower_first(self.label), read_day(text) if self.day else None
        return f"{label} {format_date(day)}" if day else f"{label} «\u202f{text}\u202f»"


def name_code(code: str, label: str) -> str:
    """Return how a code to be chosen reads."""
    return f"{code} – {label}" if label else code


def words_of(members: Iterable[Any], of: str = "label") -> Callable[[], Choices]:
    """Return what lists the members of an enum, each by its value and the words of an attribute."""
    return lambda: [(each.value, getattr(each, of)) for each in members]


def choice(
    key: str, label: str, everything: str, options: Sequence[tuple[str, str, Callable[[], Condition]]]
) -> Filter:
    """Return a filter over fixed options, each a value, a label and its condition."""
    conditions = {value: condition for value, _label, condition in options}
    return Filter(
        key,
        label,
        everything,
        where=lambda value: conditions[value](),
        choices=lambda: [(value, text) for value, text, _condition in options],
    )


@dataclass(frozen=True)
class Shown:
    """What a mapped attribute is to people.

    `kind` names how values are read, masked and typed (`core.web.screens.kinds`); told by the column's type where it
    is not given.
    """

    label: str
    kind: str = ""
    #: its name in the address of a sorted list, where it is not its own
    key: str = ""
    #: the columns that lists are ordered by when asked by this one; True: itself, or, where rows are few, the words of
    #: another row
    sort: str | bool | Sequence[str] = False
    in_list: bool = True
    #: what is read where there is no value
    blank: str = ""
    #: the text of a value, where its kind says another
    reads: Callable[[Any], str] | None = None
    #: what a property reads of its row, for exports, which load none; without it, they do
    needs: Sequence[str] = ()
    #: of another row, or of the member of an enum: the attribute that says it
    of: str = ""
    #: what its field is called, where it is not as its column, and what is written under it
    typed: str = ""
    help: str = ""
    #: of a code that is chosen, what the choice of none says
    nothing: str = "aucune"
    #: the values that a drop-down of its form offers, with their words
    choices: Mapping[str, str] | None = None
    filters: Sequence[Filter] = ()


class _Computed(property):
    """A property that says what it is to people, as a column does."""

    info: dict[str, Any]


#: What says a row or a member where nothing else was said; rows are typed by their code.
_WORDS = {"relation": "code", "lookup": "code", "choice": "label"}


def shown(label: str, kind: str = "", **details: Any) -> dict[str, Any]:
    """Return the `info` of a mapped column or relationship; see `Shown`."""
    return {"shown": Shown(label, kind, **details)}


def computed(label: str, **details: Any) -> Callable[[Callable[[Any], Any]], Any]:
    """Make a property of a model one of the attributes that are shown; see `Shown`."""

    def mark(read: Callable[[Any], Any]) -> Any:
        made = _Computed(read)
        made.info = shown(label, "text", **details)
        return made

    return mark


def shown_names(model: type[Any]) -> list[str]:
    """Return the attributes of a model that are shown, in the order in which it declares them."""
    return [name for name in vars(model) if "shown" in (getattr(getattr(model, name), "info", None) or {})]


def shown_of(model: type[Any], name: str) -> Shown:
    """Return what an attribute is to people, with the kind that its column tells."""
    attribute = getattr(model, name)
    found: Shown = attribute.info["shown"]
    kind = found.kind or _kind_of(attribute)
    return replace(found, kind=kind, of=found.of or _WORDS.get(kind, ""))


def labels_of(model: type[Any], names: Iterable[str] = ()) -> dict[str, str]:
    """Return what the fields of some attributes, or of all, are called."""
    said = {name: shown_of(model, name) for name in tuple(names) or shown_names(model)}
    return {name: each.typed or each.label for name, each in said.items()}


def _kind_of(attribute: Any) -> str:
    if hasattr(attribute.property, "mapper"):
        return "relation"
    column = attribute.property.columns[0].type
    kinds = {Date: "day", UTCDateTime: "instant", Boolean: "yes_or_no", Integer: "number"}
    found = next((kind for each, kind in kinds.items() if isinstance(column, each)), "text")
    return "choice" if hasattr(column, "members") else found
