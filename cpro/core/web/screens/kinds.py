"""What a kind of attribute becomes on the web: the text of a value, its filters, its field and what this opens on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from wtforms import EmailField, SelectField, StringField, TelField, URLField
from wtforms.fields.choices import SelectChoice

from cpro.core import clock
from cpro.core.formatting import format_date, format_instant, mask_ine
from cpro.core.lists import find_coded
from cpro.core.permissions import Permission
from cpro.core.shown import Choices, Filter, Shown, shown_of, words_of
from cpro.core.web.current_user import may
from cpro.core.web.forms import BaseForm, DayField, VersionedForm, checked
from cpro.core.web.registry import registry
from cpro.core.web.screens import queries
from cpro.core.web.screens.parts import Column

#: How the values of a kind are read, where not as they are; an INE whole by those alone who may read it.
_READERS: dict[str, Callable[[Any], str]] = {
    "capitals": lambda text: str(text).upper(),
    "day": lambda day: format_date(day.date() if isinstance(day, datetime) else day),
    "instant": lambda instant: format_instant(instant, registry().timezone()),
    "ine": lambda ine: ine if may(Permission.INE_READ) else mask_ine(ine),
    "yes_or_no": lambda value: "oui" if value else "non",
}
#: How a workbook holds the values of a kind, where not as they are read.
_CELLS: dict[str, Callable[[Any], Any]] = {
    "day": lambda day: day.date() if isinstance(day, datetime) else day,
    "instant": lambda instant: clock.on_clocks_of(registry().timezone(), instant),
    "number": int,
}
_BLANKS = {"ine": "sans INE"}
_RELATIONS = ("relation", "lookup")


class LookupField(StringField):
    """A code typed, helped by a short list of suggestions that works without a script (`<datalist>`)."""

    def __init__(self, *args: Any, suggest: Callable[[], Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suggest = suggest


_FIELDS: dict[str, Any] = {
    "day": DayField,
    "choice": SelectField,
    "relation": SelectField,
    "lookup": LookupField,
    "email": EmailField,
    "phone": TelField,
    "website": URLField,
}


def column_of(model: type[Any], name: str) -> Column:
    """Return the column of a list that an attribute makes."""
    said = shown_of(model, name)
    sort = () if not said.sort else (getattr(model, name if said.sort is True else str(said.sort)),)
    return Column(
        said.key or name,
        said.label,
        _reader(name, said),
        sort,
        in_list=said.in_list,
        is_number=said.kind == "number",
        loads=getattr(model, name) if said.kind in _RELATIONS else None,
        cell=_cell_reader(name, said),
    )


def _reader(name: str, said: Shown) -> Callable[[Any], str]:
    blank, words = said.blank or _BLANKS.get(said.kind, ""), said.choices or {}
    usual: Callable[[Any], str] = (lambda value: words.get(value, value)) if words else _READERS.get(said.kind, str)
    read: Callable[[Any], str] = said.reads or (attrgetter(said.of) if said.of else usual)

    def text_of(row: Any) -> str:
        value = getattr(row, name)
        return blank if value is None else read(value)

    return text_of


def _cell_reader(name: str, said: Shown) -> Callable[[Any], Any] | None:
    """Return what reads a value as a workbook holds it, or None where it is text."""
    read = _CELLS.get(said.kind)
    if read is None or said.reads or said.of or said.choices:
        return None
    usual = read

    def cell_of(row: Any) -> Any:
        value = getattr(row, name)
        return said.blank if value is None else usual(value)

    return cell_of


def filters_of(model: type[Any], name: str) -> list[Filter]:
    """Return the filters that an attribute makes, completed by its kind."""
    said, attribute = shown_of(model, name), getattr(model, name)
    offered = list((said.choices or {}).items())

    def complete(each: Filter) -> Filter:
        where, choices = each.where, each.choices
        if said.kind in _RELATIONS:
            other = attribute.property.mapper.class_
            where = where or (lambda code: attribute.has(other.id.in_(find_coded(other, code))))
            listed = partial(queries.name_rows, other, said.of)
            choices = choices or (listed if each.everything else partial(queries.suggest_codes, other))
        elif said.kind == "choice":
            members = _members(model, name)
            where = where or (lambda value: attribute == members(value))
            choices = choices or words_of(members, said.of)
        elif each.day:
            where = where or partial(_kept, attribute, each.day)
        elif offered:
            choices = choices or (lambda: offered)
        where = where or (lambda value: attribute == value)
        return replace(each, label=each.label or said.label, where=where, choices=choices)

    return [complete(each) for each in said.filters]


def _members(model: type[Any], name: str) -> Any:
    return getattr(model, name).property.columns[0].type.members


def _kept(instant: Any, way: str, day: date) -> Any:
    timezone = registry().timezone()
    return instant >= clock.start_of(day, timezone) if way == "from" else instant < clock.end_of(day, timezone)


def field_of(model: type[Any], name: str, *validators: Any, help: str = "") -> Any:
    """Return the field that types an attribute; its rules are those of the operation."""
    said = shown_of(model, name)
    more: dict[str, Any] = {}
    if said.kind in ("choice", "relation") or said.choices:
        offered = words_of(_members(model, name), said.of)() if said.kind == "choice" else (said.choices or {}).items()
        # A rule judges what is chosen, and says more; what a relationship offers is for the screen to say.
        judged = said.kind == "relation" or bool(validators)
        more = {"choices": [SelectChoice(*each) for each in offered], "validate_choice": not judged}
    elif said.kind == "lookup":
        more = {"suggest": partial(queries.suggest_codes, getattr(model, name).property.mapper.class_)}
    kind = SelectField if said.choices else _FIELDS.get(said.kind, StringField)
    return kind(said.typed or said.label, validators, description=help or said.help, **more)


def typed_value(model: type[Any], name: str, row: Any) -> Any:
    """Return the value that the field of an attribute opens on."""
    value = getattr(row, name)
    if value is None:
        return ""
    if shown_of(model, name).kind in _RELATIONS:
        return value.code
    return value.isoformat() if isinstance(value, date) else getattr(value, "value", value)


def form_of(
    model: type[Any],
    names: Iterable[str],
    bases: tuple[type[BaseForm], ...] = (VersionedForm,),
    rules: Mapping[str, Callable[[str], str]] = MappingProxyType({}),
) -> Any:
    """Return the form that types some attributes, each written in its one form by its rule where it has one."""
    fields = {name: field_of(model, name, *([checked(rules[name])] if name in rules else ())) for name in names}
    return type(f"{model.__name__}Form", bases, fields)
