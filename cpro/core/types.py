"""Column types shared by the features."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from sqlalchemy import Computed, Date, DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator


class UTCDateTime(TypeDecorator[datetime]):
    """Keep instants in UTC and hand them back aware, on SQLite as on PostgreSQL.

    Refuses a naive value, which does not say which instant is meant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC, naive on SQLite, which keeps no zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("UTCDateTime needs an aware datetime")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class LabelledEnum(enum.Enum):
    """Name a closed list: a member is written as its stored value, then the French words that show it."""

    _value_: str
    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        """Make the first word the member's value, the second its label."""
        member = object.__new__(cls)
        member._value_, member.label = value, label
        return member

    @classmethod
    def stored(cls, value: str) -> Self:
        """Return the member of a value that was kept.

        One that no member has (a later version wrote it) makes a member of its own, which equals no other and shows
        itself: it spoils no list.
        """
        try:
            return cls(value)
        except ValueError:
            unknown = object.__new__(cls)
            unknown._name_ = unknown._value_ = unknown.label = value
            return unknown


Member = TypeVar("Member", bound=LabelledEnum)


class EnumValue(TypeDecorator[Member]):
    """Keep the value of an enum's member in a column of characters, and hand the member back; take nothing else."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[Member], length: int) -> None:
        super().__init__(length)
        self.members = members

    @property
    def python_type(self) -> type[Member]:
        """Return the enum."""
        return self.members

    def process_bind_param(self, value: Member | None, dialect: Dialect) -> str | None:
        """Return the value of a member; raises TypeError for anything else but None."""
        if value is None:
            return None
        if not isinstance(value, self.members):
            raise TypeError(f"{value!r} is no {self.members.__name__}")
        return str(value.value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Member | None:
        """Return the member of a stored value."""
        return None if value is None else self.members.stored(value)


def empty_last(name: str, kind: Date | UTCDateTime) -> MappedColumn[Any]:
    """Return the column that lists are sorted by in place of a day or an instant that may be empty, which is last.

    The database makes it: nothing writes it. A page of a list begins at a place in an index, which no empty value has.
    """
    last = "9999-12-31" if isinstance(kind, Date) else "9999-12-31 00:00:00.000000"
    return mapped_column(kind, Computed(f"coalesce({name}, '{last}')"), deferred=True)
