"""The passkeys of accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class Passkey(Owned, Model):
    """One credential of an account, with the name given by its owner."""

    __tablename__ = "passkey"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name="one_account"),
        CheckConstraint("(account_id IS NULL) = (establishment_id IS NULL)", name="school_of_account"),
        UniqueConstraint("credential_id"),
        key_within_school("account_id", "account", name="fk_passkey_account", ondelete="CASCADE"),
        Index("ix_passkey_account_id", "account_id"),
        Index("ix_passkey_platform_account_id", "platform_account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the account's school; empty for a platform account
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    account_id: Mapped[int | None]
    platform_account_id: Mapped[int | None] = mapped_column(ForeignKey("platform_account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    #: as browsers encode it, in base64url: 1 023 bytes at most
    credential_id: Mapped[str] = mapped_column(String(1364))
    #: COSE-encoded
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    #: the device's signature counter; 0 for devices that do not count
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
