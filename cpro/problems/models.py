"""One problem described by a user."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import PlatformOnly
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class Problem(PlatformOnly, Model):
    """A user's description of a problem, and whether the support has handled it."""

    __tablename__ = "problem"
    __table_args__ = (
        Index("ix_problem_account", "account", "at"),
        Index("ix_problem_handled_at", "handled_at", "id"),
        {"sqlite_autoincrement": True},  # the journal and its author refer to it by its id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the school entered, if any
    school_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    #: its author, "account:12" or "platform:3"
    account: Mapped[str] = mapped_column(String(40))
    #: the author's role at that time
    role: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    text: Mapped[str] = mapped_column(Text)
    #: the number of an error page as it was typed, "" for none
    number: Mapped[str] = mapped_column(String(40))
    #: empty while it is open
    handled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the name of the person who handled it, "" while it is open
    handled_by: Mapped[str] = mapped_column(String(200), default="")

    @property
    def label(self) -> str:
        """Return its label for the journal, the support and its author."""
        return f"n°\u202f{self.id}"
