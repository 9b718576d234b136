"""Build the web parts of an attribute from its kind: the text of a value, filters, form field and initial value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache, partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import String, func
from wtforms import EmailField, SelectField, StringField, TelField, URLField
from wtforms.fields.choices import SelectChoice

from cpro.core import clock
from cpro.core.codes import find_named
from cpro.core.formatting import format_date, format_instant, mask_ine
from cpro.core.permissions import Permission
from cpro.core.search import Searched
from cpro.core.shown import Filter, Shown, shown_of, words_of
from cpro.core.web.choices import CodeField
from cpro.core.web.current_user import may
from cpro.core.web.forms import BaseForm, DayField, VersionedForm, checked
from cpro.core.web.registry import registry
from cpro.core.web.screens import queries
from cpro.core.web.screens.parts import Column, Stored


@lru_cache(maxsize=5000)
def _format_day(day: date) -> str:
    return format_date(day)


def _day_reader() -> Callable[[date], date]:
    """Return what reads the day of a value: a day as it is, an instant on the clocks of the school."""
    timezone = registry().timezone()
    return lambda day: clock.today_in(timezone, day) if isinstance(day, datetime) else day


def _day_writer() -> Callable[[date], str]:
    day_of = _day_reader()
    return lambda day: _format_day(day_of(day))


#: Formatters of the kinds not shown as is, for the current user; only people with the permission see a full INE.
_READERS: dict[str, Callable[[], Callable[[Any], str]]] = {
    "capitals": lambda: str.upper,
    "day": _day_writer,
    "instant": lambda: partial(format_instant, timezone_name=registry().timezone()),
    "ine": lambda: str if may(Permission.INE_READ) else mask_ine,
    "yes_or_no": lambda: lambda value: "oui" if value else "non",
}
#: The same for workbook values that are not text.
_CELLS: dict[str, Callable[[], Callable[[Any], Any]]] = {
    "day": _day_reader,
    "instant": lambda: partial(clock.on_clocks_of, registry().timezone()),
    "number": lambda: int,
}
_BLANKS = {"ine": "sans INE"}
_RELATIONS = ("relation", "lookup")


_FIELDS: dict[str, Any] = {
    "day": DayField,
    "choice": SelectField,
    "relation": SelectField,
    "lookup": CodeField,
    "email": EmailField,
    "phone": TelField,
    "website": URLField,
}


def column_of(model: type[Any], name: str) -> Column:
    """Return the list column of an attribute."""
    said, attribute = shown_of(model, name), getattr(model, name)
    stored = None if isinstance(attribute, property) else _stored(name, said)
    return Column(
        said.key or name,
        said.label,
        attrgetter(name) if stored is None else stored.text_of,
        _order_of(model, name, said),
        in_list=said.in_list,
        is_number=said.kind == "number",
        loads=attribute if said.kind in _RELATIONS else None,
        stored=stored,
        needs=said.needs,
    )


def _stored(name: str, said: Shown) -> Stored:
    blank = said.blank or _BLANKS.get(said.kind, "")
    if said.kind in _RELATIONS:
        return Stored(name, blank, text=lambda: str, cell=lambda: str, of=said.of)
    words = said.choices or {}
    if said.reads or said.of or words:
        read = said.reads or (attrgetter(said.of) if said.of else lambda value: words.get(value, value))
        return Stored(name, blank, text=lambda: read, cell=lambda: read)
    text = _READERS.get(said.kind, lambda: str)
    return Stored(name, blank, text=text, cell=_CELLS.get(said.kind, text))


def _order_of(model: type[Any], name: str, said: Shown) -> tuple[Any, ...]:
    """Return the sort expressions of a column; empty if it cannot be sorted."""
    if said.sort is True and said.kind in _RELATIONS:
        return _sorted_by_related(model, name, said.of)
    named = said.sort if said.sort is not True else name
    names = [named] if isinstance(named, str) else named or ()
    return tuple(_sorted_by(getattr(model, each)) for each in names)


def _sorted_by(attribute: Any) -> Any:
    """Return a sort expression that is never NULL: keyset pagination then works alike on both databases."""
    column = attribute.property.columns[0]
    if not column.nullable:
        return attribute
    if not isinstance(column.type, String):
        raise TypeError(f"{attribute} is empty for some rows: no list is sorted by it")
    return func.coalesce(attribute, "")


def _sorted_by_related(model: type[Any], name: str, of: str) -> tuple[Any, ...]:
    """Return the sort expressions for the label of a related row."""
    if issubclass(model, Searched):
        raise TypeError(f"{model.__name__}.{name} is in no index: no long list is sorted by it")
    attribute = getattr(model, name)
    return queries.order_by_words(model, _key_of(attribute), attribute.property.mapper.class_, of)


def filters_of(model: type[Any], name: str) -> list[Filter]:
    """Return the filters of an attribute, completed by its kind."""
    said, attribute = shown_of(model, name), getattr(model, name)
    offered = list((said.choices or {}).items())

    def complete(each: Filter) -> Filter:
        where, choices = each.where, each.choices
        if said.kind in _RELATIONS:
            other = attribute.property.mapper.class_
            where = where or (lambda code: _key_of(attribute).in_(find_named(other, code)))
            listed = partial(queries.name_rows, other, said.of)
            choices = choices or (listed if each.everything else partial(queries.list_codes, other))
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


def _key_of(attribute: Any) -> Any:
    """Return the foreign key column of a relationship, leaving out the school's."""
    (name,) = {local.name for local, _remote in attribute.property.local_remote_pairs} - {"establishment_id"}
    return getattr(attribute.class_, name)


def _members(model: type[Any], name: str) -> Any:
    return getattr(model, name).property.columns[0].type.members


def _kept(instant: Any, way: str, day: date) -> Any:
    timezone = registry().timezone()
    return instant >= clock.start_of(day, timezone) if way == "from" else instant < clock.end_of(day, timezone)


def field_of(model: type[Any], name: str, *validators: Any, help: str = "") -> Any:
    """Return the form field of an attribute; its rules are those of the operation."""
    said = shown_of(model, name)
    more: dict[str, Any] = {}
    if said.kind in ("choice", "relation") or said.choices:
        offered = words_of(_members(model, name), said.of)() if said.kind == "choice" else (said.choices or {}).items()
        # A rule validates the choice with a better message; the screen sets the choices of a relationship.
        judged = said.kind == "relation" or bool(validators)
        more = {"choices": [SelectChoice(*each) for each in offered], "validate_choice": not judged}
    elif said.kind == "lookup":
        other = getattr(model, name).property.mapper.class_
        more = {"offer": partial(queries.list_codes, other), "nothing": said.nothing}
    kind = SelectField if said.choices else _FIELDS.get(said.kind, StringField)
    return kind(said.typed or said.label, validators, description=help or said.help, **more)


def typed_value(model: type[Any], name: str, row: Any) -> Any:
    """Return the initial value of an attribute's field."""
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
    """Return a form for some attributes, each normalised by its rule if it has one."""
    fields = {name: field_of(model, name, *([checked(rules[name])] if name in rules else ())) for name in names}
    return type(f"{model.__name__}Form", bases, fields)
