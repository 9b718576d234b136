"""The model of a user's preferences for one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, key_within_school
from cpro.extensions import Model


@dataclass(frozen=True)
class KeptList:
    """A search, with its filters and its sort, under a name; `id` is unique within its list."""

    id: str
    name: str
    #: the parameters of its URL
    asked: dict[str, str]


class ListHabits(Owned, Model):
    """One account's preferences for one list: a row only if there are any, read with each page of the list."""

    __tablename__ = "list_habits"
    __table_args__ = (
        UniqueConstraint("establishment_id", "account_id", "screen"),
        key_within_school("account_id", "account", name="fk_list_habits_account", ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: its owner, the only account that sees it
    account_id: Mapped[int]
    #: the list: the endpoint of a screen
    screen: Mapped[str] = mapped_column(String(40))
    #: the keys of the columns shown; empty for the default ones
    columns: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: [{id, name, asked}, …], sorted by name
    kept: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    @property
    def lists(self) -> list[KeptList]:
        """Return the kept lists, sorted by name."""
        return [KeptList(**each) for each in self.kept]
