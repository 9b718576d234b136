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
    """Store instants in UTC and return them timezone-aware, on SQLite as on PostgreSQL.

    Raises ValueError for a naive value, which does not identify an instant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC, naive on SQLite, which stores no time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("UTCDateTime needs an aware datetime")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant timezone-aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class LabelledEnum(enum.Enum):
    """Base of closed lists: a member is declared by its stored value, then its French label."""

    _value_: str
    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        """Make the first argument the member's value, the second its label."""
        member = object.__new__(cls)
        member._value_, member.label = value, label
        return member

    @classmethod
    def stored(cls, value: str) -> Self:
        """Return the member of a stored value.

        An unknown value (written by a later version) gives a new member, equal to no other and labelled with the
        value itself, so that it breaks no list.
        """
        try:
            return cls(value)
        except ValueError:
            unknown = object.__new__(cls)
            unknown._name_ = unknown._value_ = unknown.label = value
            return unknown


Member = TypeVar("Member", bound=LabelledEnum)


class EnumValue(TypeDecorator[Member]):
    """Store an enum member as its value in a text column, and return the member; accept nothing else."""

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
        """Return the value of a member. Raises TypeError for anything else but None."""
        if value is None:
            return None
        if not isinstance(value, self.members):
            raise TypeError(f"{value!r} is no {self.members.__name__}")
        return str(value.value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Member | None:
        """Return the member of a stored value."""
        return None if value is None else self.members.stored(value)


def empty_last(name: str, kind: Date | UTCDateTime) -> MappedColumn[Any]:
    """Return the sort column of a nullable date or instant, with NULL sorted last.

    The database computes it: nothing writes it. A page of a list starts at a position in an index, which NULL does
    not have.
    """
    last = "9999-12-31" if isinstance(kind, Date) else "9999-12-31 00:00:00.000000"
    return mapped_column(kind, Computed(f"coalesce({name}, '{last}')"), deferred=True)
