"""Signing in: open browsers, one-time codes, second factors, failures, forms kept over an expired sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Float, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned, PlatformOnly, key_within_school
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class SignIn(Owned, Model):
    """One signed-in browser: deleting the row signs it out, whatever its cookie contains.

    It belongs to the account's school, so that a school can end it in the transaction of its own action.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        Index("uq_sign_in_establishment_id", "establishment_id", "id", unique=True),  # for tables of one browser
        UniqueConstraint("token_hash"),
        CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name="one_account"),
        CheckConstraint("(account_id IS NULL) = (establishment_id IS NULL)", name="school_of_account"),
        key_within_school("account_id", "account", name="fk_sign_in_account", ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the account's school; empty for a platform account, whose sign-ins no school sees
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    #: SHA-256 of the token in the cookie
    token_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int | None] = mapped_column(index=True)
    platform_account_id: Mapped[int | None] = mapped_column(
        ForeignKey("platform_account.id", ondelete="CASCADE"), index=True
    )
    #: « Firefox sur Windows », then the network address: where it was opened
    device: Mapped[str] = mapped_column(String(60), default="", server_default="")
    address: Mapped[str] = mapped_column(String(60), default="", server_default="")
    #: the right password was given, but the second-factor code not yet: it gives no access
    awaits_code: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: when the second factor was last given in this browser, empty if it is trusted; until when it is trusted, if it is
    code_given_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    trusted_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: what a passkey must sign, then its expiry
    challenge: Mapped[str | None] = mapped_column(String(64))
    challenge_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the school a platform account has entered
    entered_establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: to the minute: the start of the inactivity limit
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ActivationCode(Owned, Model):
    """A one-time code that lets its holder choose a password; only its HMAC is stored.

    It belongs to the account's school, as a sign-in does.
    """

    __tablename__ = "activation_code"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name="one_account"),
        CheckConstraint("(account_id IS NULL) = (establishment_id IS NULL)", name="school_of_account"),
        key_within_school("account_id", "account", name="fk_activation_code_account", ondelete="CASCADE"),
        Index("ix_activation_code_code_hmac", "code_hmac"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the account's school; empty for a platform account, whose codes no school sees
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    account_id: Mapped[int | None] = mapped_column(index=True)
    platform_account_id: Mapped[int | None] = mapped_column(
        ForeignKey("platform_account.id", ondelete="CASCADE"), index=True
    )
    #: HMAC-SHA-256 of the code under a key derived from the server's
    code_hmac: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when it was used, or voided by a newer code
    spent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SecondFactor(Owned, Model):
    """The second factor of an account; in effect once `confirmed_at` is set, after a first code from it."""

    __tablename__ = "second_factor"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name="one_account"),
        CheckConstraint("(account_id IS NULL) = (establishment_id IS NULL)", name="school_of_account"),
        UniqueConstraint("account_id"),
        UniqueConstraint("platform_account_id"),
        key_within_school("account_id", "account", name="fk_second_factor_account", ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the account's school; empty for a platform account
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    account_id: Mapped[int | None]
    platform_account_id: Mapped[int | None] = mapped_column(ForeignKey("platform_account.id", ondelete="CASCADE"))
    #: encrypted with the server's key
    secret: Mapped[str] = mapped_column(String(300))
    #: the HMACs of the unused recovery codes, separated by blanks
    recovery: Mapped[str] = mapped_column(Text, default="")
    #: the 30-second step of the last used code: none can be used twice
    last_step: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: browsers trusted before this instant need a code again
    trusted_from: Mapped[datetime] = mapped_column(UTCDateTime)


class FailureCounter(PlatformOnly, Model):
    """Failed sign-ins of one account, address or browser; kept also for accounts that do not exist."""

    __tablename__ = "failure_counter"

    #: HMAC of what is counted: identifiers and addresses are not stored in clear
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: the number not yet forgotten at the last failure; see `operations.throttle`
    failures: Mapped[float] = mapped_column(Float)
    last_failure_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ParkedForm(PlatformOnly, Model):
    """Input of a person whose sign-in ended, or of a refused form: shown again, never applied automatically."""

    __tablename__ = "parked_form"

    #: SHA-256 of the token in the browser's cookie; for a refused form, of its owner and its page
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: "account:12" or "platform:3", "account:12/45" for one sign-in: the form is only returned to this owner
    owner: Mapped[str] = mapped_column(String(40))
    #: the page of the form
    path: Mapped[str] = mapped_column(String(500))
    #: [[name, value], …]
    fields: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
