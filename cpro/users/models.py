"""Accounts of schools and of the platform, sign-ins, one-time codes, failures, forms kept over an expired sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.permissions import Role
from cpro.core.tenancy import Owned, PlatformOnly
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class Account(Owned, Model):
    """An account of one school; the login is unique in it."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        UniqueConstraint("establishment_id", "login", name="uq_account_login"),
        CheckConstraint("role IN ('administrator', 'head', 'teacher', 'student')", name="role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: prenom.nom, folded, lower case
    login: Mapped[str] = mapped_column(String(80))
    role_value: Mapped[str] = mapped_column("role", String(16))
    civility: Mapped[str] = mapped_column(String(8), default="")
    last_name: Mapped[str] = mapped_column(String(100))
    first_name: Mapped[str] = mapped_column(String(100))
    #: empty for most pupils and for teachers imported from STS, which has none
    email: Mapped[str] = mapped_column(String(254), default="")
    #: Argon2id; empty until the account is activated
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    activated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def role(self) -> Role:
        """Return the role."""
        return Role(self.role_value)

    @property
    def label(self) -> str:
        """Return the person's name as people read it."""
        return f"{self.first_name} {self.last_name}"


class PlatformAccount(PlatformOnly, Model):
    """An account of the platform: an inspector or a member of the support, one for all schools."""

    __tablename__ = "platform_account"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("role IN ('inspector', 'support')", name="role"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the identifier at sign-in, lower case
    email: Mapped[str] = mapped_column(String(254))
    role_value: Mapped[str] = mapped_column("role", String(16))
    name: Mapped[str] = mapped_column(String(150))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    activated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def role(self) -> Role:
        """Return the role."""
        return Role(self.role_value)

    @property
    def login(self) -> str:
        """Return the identifier, under the same name as a school account's."""
        return self.email

    @property
    def label(self) -> str:
        """Return the person's name as people read it."""
        return self.name


class SignIn(PlatformOnly, Model):
    """One browser signed in: deleting the row signs it out, whatever cookie it holds."""

    __tablename__ = "sign_in"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name="one_account"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: SHA-256 of the token the cookie carries
    token_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    platform_account_id: Mapped[int | None] = mapped_column(
        ForeignKey("platform_account.id", ondelete="CASCADE"), index=True
    )
    #: the school a platform account has entered
    entered_establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: to the minute: the inactivity limit counts from it
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ActivationCode(PlatformOnly, Model):
    """A one-time code that lets its bearer choose a password; only its HMAC is kept."""

    __tablename__ = "activation_code"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name="one_account"),
        Index("ix_activation_code_code_hmac", "code_hmac"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    platform_account_id: Mapped[int | None] = mapped_column(
        ForeignKey("platform_account.id", ondelete="CASCADE"), index=True
    )
    #: HMAC-SHA-256 of the code under a key derived from the server's
    code_hmac: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when it was used, or voided by a newer code
    spent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class FailureCounter(PlatformOnly, Model):
    """Failed sign-ins of one account, address or browser; kept also for accounts that do not exist."""

    __tablename__ = "failure_counter"

    #: HMAC of what is counted: no identifier or address is kept in clear
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_failure_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ParkedForm(PlatformOnly, Model):
    """What somebody had typed when their sign-in ended: shown again after they sign in, never applied by itself."""

    __tablename__ = "parked_form"

    #: SHA-256 of the token in the browser's cookie
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: "account:12" or "platform:3": nobody else gets the form back; empty when the browser no longer said who it was
    owner: Mapped[str] = mapped_column(String(40))
    #: the page the form stands on
    path: Mapped[str] = mapped_column(String(500))
    #: [[name, value], …]
    fields: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
