"""What somebody arranged of one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, key_within_school
from cpro.extensions import Model


@dataclass(frozen=True)
class KeptList:
    """A search, with its filters and its sort, under a name; `id` tells it from the others of its list."""

    id: str
    name: str
    #: the parameters of its address
    asked: dict[str, str]


class ListHabits(Owned, Model):
    """What one account keeps of one list: a row while there is anything, read with each page of the list."""

    __tablename__ = "list_habits"
    __table_args__ = (
        UniqueConstraint("establishment_id", "account_id", "screen"),
        key_within_school("account_id", "account", name="fk_list_habits_account", ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: whose they are: nobody else ever sees them
    account_id: Mapped[int]
    #: which list: the endpoint of a screen
    screen: Mapped[str] = mapped_column(String(40))
    #: the keys of the columns that are shown; empty for the usual ones
    columns: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: [{id, name, asked}, …], in the order of their names
    kept: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    @property
    def lists(self) -> list[KeptList]:
        """Return the lists kept, in the order of their names."""
        return [KeptList(**each) for each in self.kept]
