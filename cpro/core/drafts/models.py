"""The model of drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class Draft(Owned, Model):
    """Unsaved content of one open page; once the page is saved, a mark that refuses later requests."""

    __tablename__ = "draft"
    __table_args__ = (
        UniqueConstraint("account_id", "token"),
        key_within_school("account_id", "account", name="fk_draft_account", ondelete="CASCADE"),
        Index("ix_draft_object", "account_id", "form", "object_key"),
        Index("ix_draft_subject", "establishment_id", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: its author, the only account that sees it
    account_id: Mapped[int]
    #: 32 hexadecimal characters generated when the page was opened
    token: Mapped[str] = mapped_column(String(32))
    #: which form, e.g. "scenario"
    form: Mapped[str] = mapped_column(String(20))
    #: the object of the form; "new" and the like when it does not exist yet
    object_key: Mapped[str] = mapped_column(String(60))
    #: what it is about, e.g. "student:12", with which it is deleted
    subject: Mapped[str] = mapped_column(String(40), default="")
    #: [[name, value], …], as the form would post them; empty once closed
    fields: Mapped[list[Any]] = mapped_column(JSON)
    #: how many times its page has saved it
    turn: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    #: when its page was saved or abandoned: later requests with this token are ignored
    over_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
