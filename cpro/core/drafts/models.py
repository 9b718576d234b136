"""The drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class Draft(Owned, Model):
    """What somebody has typed in one page and not saved; once the page was saved, a mark that nothing more comes."""

    __tablename__ = "draft"
    __table_args__ = (
        UniqueConstraint("account_id", "token"),
        key_within_school("account_id", "account", name="fk_draft_account", ondelete="CASCADE"),
        Index("ix_draft_object", "account_id", "form", "object_key"),
        Index("ix_draft_subject", "establishment_id", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: who wrote it: nobody else ever sees it
    account_id: Mapped[int]
    #: 32 hexadecimal characters drawn when the page was opened
    token: Mapped[str] = mapped_column(String(32))
    #: which form, e.g. "scenario"
    form: Mapped[str] = mapped_column(String(20))
    #: which object of that form; "new" and the like for one that does not exist yet
    object_key: Mapped[str] = mapped_column(String(60))
    #: whom or what it is about, e.g. "student:12": it goes with them
    subject: Mapped[str] = mapped_column(String(40), default="")
    #: [[name, value], …], as the form would post them; empty once over
    fields: Mapped[list[Any]] = mapped_column(JSON)
    #: how often its page has saved it
    turn: Mapped[int]
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    #: when its page was saved or given up: what arrives later under this token is ignored
    over_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
