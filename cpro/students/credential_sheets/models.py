"""Documents of activation sheets, kept for half an hour for the browser that created them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class KeptSheets(Owned, Model):
    """One document in all its formats, encrypted under a key that only the cookie has; deleted with its sign-in."""

    __tablename__ = "kept_sheets"
    __table_args__ = (
        key_within_school("sign_in_id", "sign_in", name="fk_kept_sheets_sign_in", ondelete="CASCADE"),
        Index("ix_kept_sheets_sign_in", "establishment_id", "sign_in_id"),
        Index("ix_kept_sheets_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    #: the sign-in that created it: signing out deletes it
    sign_in_id: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: the format requested, "pdf" or "csv"
    file_format: Mapped[str] = mapped_column(String(3))
    #: label of the people, as in the journal
    about: Mapped[str] = mapped_column(String(200))
    sheets: Mapped[int]
    #: sentence about the people left out, or empty
    left_out: Mapped[str] = mapped_column(String(300), default="")
    #: ids of the accounts whose codes it contains: once one of them is void, the document is useless
    account_ids: Mapped[list[int]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
