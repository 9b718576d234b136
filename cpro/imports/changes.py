"""The changes an import makes to an object, and how they are stored: the only module that knows both.

A change is a pair of typed values under the name of an attribute of the model. It is stored as JSON, {key: [old, new]},
for as long as the school exists: what any version wrote must stay readable, so a key survives the renaming of its
attribute; days are stored as text, enum members as their values. `ChangesType` translates in both directions; applying
and undoing never see the JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import JSON
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from cpro.core.permissions import Role
from cpro.core.types import LabelledEnum
from cpro.students.models import Origin


class Pair(NamedTuple):
    """The value of a field before an import, and after it."""

    old: Any
    new: Any


Changes = dict[str, Pair]


class Field(NamedTuple):
    """A field that an import may change."""

    #: type of its values, None excluded
    type: type
    #: its key in stored changes, if different from the name of its attribute
    key: str = ""


#: The divisions that an import gives a teacher, and those given by the file, both as codes.
DIVISIONS, SERVICES = "divisions", "services"
#: Every field that an import may change, for all types of object; those of people first.
FIELDS = {
    "last_name": Field(str),
    "usage_name": Field(str),
    "first_name": Field(str),
    "is_active": Field(bool),
    # of pupils; the division by its code, "" for none
    "birth_date": Field(dt.date),
    "ine": Field(str),
    "siecle_id": Field(str),
    "local_id": Field(str),
    "came_by": Field(Origin),
    "mef_code": Field(str),
    "division": Field(str),
    "departed_on": Field(dt.date, key="left_on"),
    # of accounts
    "role": Field(Role),
    "login": Field(str),
    "civility": Field(str),
    "discipline": Field(str),
    "email": Field(str),
    "sts_key": Field(str),
    "consent_needed": Field(bool),
    DIVISIONS: Field(list),
    SERVICES: Field(list),
    # of divisions and courses
    "code": Field(str),
    "label": Field(str),
    "diploma_id": Field(int),
}
_KEYS = {name: field.key for name, field in FIELDS.items() if field.key}
#: Accepted types of the values of each field.
_TYPES = {name: (field.type, type(None)) for name, field in FIELDS.items()}
_NAMES = {key: name for name, key in _KEYS.items()}
#: Types that JSON cannot represent.
_KINDS = {name: field.type for name, field in FIELDS.items() if issubclass(field.type, dt.date | LabelledEnum)}


class ChangesType(TypeDecorator[Changes]):
    """Store changes as JSON and return them typed. Refuses, when storing, fields that no import changes."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Changes | None, dialect: Dialect) -> dict[str, list[Any]] | None:
        """Return changes as stored; raises `TypeError` for a field that no import changes, or a wrong type."""
        if value is None:
            return None
        for name, pair in value.items():
            kind = _TYPES.get(name)
            if kind is None or not (isinstance(pair[0], kind) and isinstance(pair[1], kind)):
                raise TypeError(f"no import changes {name} so: {pair!r}")
        return to_plain(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Changes | None:
        """Return stored changes as typed values."""
        return None if value is None else _from_plain(value)


def to_plain(changes: Changes) -> dict[str, list[Any]]:
    """Return changes as stored, which is also how the journal names fields."""
    return {
        _KEYS.get(name, name): [_plain(old), _plain(new)] if name in _KINDS else [old, new]
        for name, (old, new) in changes.items()
    }


def _from_plain(plain: Mapping[str, tuple[Any, Any]]) -> Changes:
    changes: Changes = {}
    for key, (old, new) in plain.items():
        name = _NAMES.get(key, key)
        kind = _KINDS.get(name)
        changes[name] = Pair(_typed(kind, old), _typed(kind, new)) if kind else Pair(old, new)
    return changes


def _plain(value: Any) -> Any:
    if isinstance(value, LabelledEnum):
        return value.value
    return value.isoformat() if isinstance(value, dt.date) else value


def _typed(kind: type, plain: Any) -> Any:
    if not plain:
        return None
    return kind.stored(plain) if issubclass(kind, LabelledEnum) else dt.date.fromisoformat(plain)


def creating(values: Mapping[str, Any]) -> Changes:
    """Return the changes that create an object with these values; blank ones are left out."""
    return {name: Pair(None, value) for name, value in values.items() if value}


def new_values(changes: Changes) -> dict[str, Any]:
    """Return the values of the fields after the changes."""
    return {name: pair.new for name, pair in changes.items()}


def backwards(changes: Changes) -> Changes:
    """Return the changes that undo these."""
    return {name: Pair(new, old) for name, (old, new) in changes.items()}


def set_fields(row: Any, changes: Changes, *, otherwise: Exception) -> None:
    """Set the new values on a row that has the old ones; raises `otherwise` if one was changed meanwhile."""
    if any(getattr(row, name) != pair.old for name, pair in changes.items()):
        raise otherwise
    for name, pair in changes.items():
        setattr(row, name, pair.new)
