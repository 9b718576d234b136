"""Accounts of schools and of the platform, sign-ins, one-time codes, failures, forms kept over an expired sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    event,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.formatting import spoken_name
from cpro.core.permissions import Permission, Role, roles_with
from cpro.core.search import Searched
from cpro.core.shown import Filter, computed, shown
from cpro.core.tenancy import Owned, PlatformOnly, key_within_school
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime, empty_last
from cpro.core.validators import fold
from cpro.extensions import Model


def _index_of_state(name: str, condition: str, on_sqlite: str) -> Index:
    """Return the index by name of the accounts in some state, written as each database understands it."""
    columns = ("establishment_id", "search_key", "id")
    return Index(f"ix_account_{name}", *columns, sqlite_where=text(on_sqlite), postgresql_where=text(condition))


class Account(Owned, Searched, Model):
    """An account of one school; the login is unique in it."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        UniqueConstraint("establishment_id", "login", name="uq_account_login"),
        UniqueConstraint("establishment_id", "sts_key"),
        Index("ix_account_search_key", "establishment_id", "search_key", "id"),
        Index("ix_account_email", "establishment_id", "email"),
        # One per filter of the list, each ending with what the list is sorted by.
        Index("ix_account_role", "establishment_id", "role", "search_key", "id"),
        Index("ix_account_sign_in_sort", "establishment_id", "sign_in_sort", "search_key", "id"),
        _index_of_state("inactive", "NOT is_active", "is_active = 0"),
        _index_of_state("never", "is_active AND activated_at IS NULL", "is_active = 1 AND activated_at IS NULL"),
        _index_of_state("used", "is_active AND activated_at IS NOT NULL", "is_active = 1 AND activated_at IS NOT NULL"),
        _index_of_state(
            "pending", "consent_needed AND consented_at IS NULL", "consent_needed = 1 AND consented_at IS NULL"
        ),
        _index_of_state("unseen", "unseen_by_head", "unseen_by_head = 1"),
        _index_of_state("passwordless", "password_hash IS NULL", "password_hash IS NULL"),
        CheckConstraint("role IN ('administrator', 'head', 'teacher', 'student')", name="role"),
        CheckConstraint(
            "NOT consent_needed OR role IN ('administrator', 'head', 'teacher')", name="consent_concerns_powers"
        ),
        {"sqlite_autoincrement": True},  # the journal names it by its id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: prenom.nom, folded, lower case
    login: Mapped[str] = mapped_column(String(80), info=shown("Identifiant", sort=True))
    role: Mapped[Role] = mapped_column(
        EnumValue(Role, 16),
        info=shown(
            "Rôle",
            sort=("role", "search_key"),
            filters=[
                Filter(
                    "role",
                    everything="tous les rôles",
                    choices=lambda: [(role.value, role.label) for role in Role if not role.is_platform],
                )
            ],
        ),
    )
    civility: Mapped[str] = mapped_column(String(8), default="", info=shown("Civilité", in_list=False))
    last_name: Mapped[str] = mapped_column(String(100), info=shown("Nom", "capitals", key="name", sort="search_key"))
    first_name: Mapped[str] = mapped_column(String(100), info=shown("Prénom"))
    #: as it was typed last; empty for most pupils and for teachers imported from STS, which has none
    email: Mapped[str] = mapped_column(String(254), default="", info=shown("Adresse électronique", in_list=False))
    #: the address that counts: codes go there, whatever somebody else typed since (`operations.addresses`)
    confirmed_email: Mapped[str] = mapped_column(
        String(254), default="", server_default="", info=shown("Adresse qui reçoit les codes", in_list=False)
    )
    #: what a teacher teaches
    discipline: Mapped[str] = mapped_column(String(100), default="", info=shown("Discipline", in_list=False))
    #: "type:id" of a person of STS-Web, stable within the school; only an import sets it
    sts_key: Mapped[str | None] = mapped_column(String(28))
    #: Argon2id; empty until the account is activated
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    #: a further head or administrator, a teacher where the head asked so: nothing opens the account until the head in
    #: place consents
    consent_needed: Mapped[bool] = mapped_column(default=False)
    consented_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: a teacher's account that the administrator opened, which the head has not said to have seen
    unseen_by_head: Mapped[bool] = mapped_column(default=False, server_default=false())
    activated_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=shown("Activé le", "day", in_list=False))
    last_sign_in_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, info=shown("Dernière connexion", "day", sort=("sign_in_sort", "search_key"))
    )
    sign_in_sort: Mapped[datetime] = empty_last("last_sign_in_at", UTCDateTime())
    #: family and first names and login, folded: what lists are sorted and searched by
    search_key: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: since when it is asked for a second factor (`second_factor_policy`)
    second_factor_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: until when the person has read what happened for them; empty before the first time
    news_read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the last line of the journal that their news showed when they read them: ids follow the commits of a school,
    #: while what takes long is dated earlier than a line read before it; not a foreign key: the journal owns its lines
    news_read_line: Mapped[int | None]

    @classmethod
    def holds(cls, permission: Permission) -> ColumnElement[bool]:
        """Return the condition of the accounts whose role has a right."""
        return cls.role.in_(roles_with(permission))

    @classmethod
    def has_role(cls, role: Role) -> ColumnElement[bool]:
        """Return the condition of the accounts of a role that somebody chose in a list."""
        return cls.role == role

    def can(self, permission: Permission) -> bool:
        """Return whether the account's role has a right; see `may_sign_in` for whether anybody uses it now."""
        return self.role.can(permission)

    def is_named(self, last_name: str, first_name: str) -> bool:
        """Return whether it bears a full name, whatever the case and the accents."""
        return fold(f"{self.last_name} {self.first_name}") == fold(f"{last_name} {first_name}")

    def has_address(self, email: str) -> bool:
        """Return whether an e-mail address is its own, typed or proved; "" is nobody's."""
        return bool(email) and email.casefold() in (self.email.casefold(), self.confirmed_email.casefold())

    @property
    def label(self) -> str:
        """Return the person's name as sentences say it."""
        return spoken_name(self.first_name, self.last_name)

    @property
    def is_pending(self) -> bool:
        """Return whether the account still waits for the head's consent."""
        return self.consent_needed and self.consented_at is None

    @computed("État", needs=("is_active", "consent_needed", "consented_at", "activated_at"))
    def state(self) -> str:
        """Return the state of the account, in a word."""
        if self.is_pending:
            return "attend l’accord du chef"
        if not self.is_active:
            return "désactivé"
        return "actif" if self.activated_at else "jamais activé"

    @property
    def may_sign_in(self) -> bool:
        """Return whether the right password or code opens the account."""
        return self.is_active and not self.is_pending


@event.listens_for(Account, "before_insert")
@event.listens_for(Account, "before_update")
def _refresh_search_key(mapper: object, connection: object, account: Account) -> None:
    account.search_key = fold(f"{account.last_name} {account.first_name} {account.login}")


class PlatformAccount(PlatformOnly, Model):
    """An account of the platform: an inspector or a member of the support, one for all schools."""

    __tablename__ = "platform_account"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("role IN ('inspector', 'support')", name="role"),
        {"sqlite_autoincrement": True},  # the journal names it by its id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the identifier at sign-in, lower case
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(EnumValue(Role, 16))
    name: Mapped[str] = mapped_column(String(150))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    activated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: since when it is asked for a second factor
    second_factor_since: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @classmethod
    def has_role(cls, role: Role) -> ColumnElement[bool]:
        """Return the condition of the accounts of a role that somebody chose in a list."""
        return cls.role == role

    def can(self, permission: Permission) -> bool:
        """Return whether the account's role has a right."""
        return self.role.can(permission)

    @property
    def login(self) -> str:
        """Return the identifier, under the same name as a school account's."""
        return self.email

    @property
    def label(self) -> str:
        """Return the person's name as people read it."""
        return self.name

    @property
    def state(self) -> str:
        """Return the state of the account, in a word."""
        if not self.is_active:
            return "désactivé"
        return "actif" if self.activated_at else "jamais activé"

    @property
    def may_sign_in(self) -> bool:
        """Return whether the right password or code opens the account."""
        return self.is_active


class SignIn(Owned, Model):
    """One browser signed in: deleting the row signs it out, whatever cookie it holds.

    It belongs to the account's school, so that a school can end it in the transaction of its own action.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        # What belongs to a browser of a school refers to both.
        Index("uq_sign_in_establishment_id", "establishment_id", "id", unique=True),
        UniqueConstraint("token_hash"),
        CheckConstraint("(account_id IS NULL) <> (platform_account_id IS NULL)", name="one_account"),
        CheckConstraint("(account_id IS NULL) = (establishment_id IS NULL)", name="school_of_account"),
        key_within_school("account_id", "account", name="fk_sign_in_account", ondelete="CASCADE"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the account's school; empty for a platform account, whose sign-ins no school sees
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    #: SHA-256 of the token the cookie carries
    token_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int | None] = mapped_column(index=True)
    platform_account_id: Mapped[int | None] = mapped_column(
        ForeignKey("platform_account.id", ondelete="CASCADE"), index=True
    )
    #: « Firefox sur Windows », and the network address: where it was opened
    device: Mapped[str] = mapped_column(String(60), default="", server_default="")
    address: Mapped[str] = mapped_column(String(60), default="", server_default="")
    #: whether the right password was given, and the code of the second factor not yet: it opens nothing
    awaits_code: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: when the second factor was last given in this browser; empty where it is trusted
    code_given_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: what a passkey must sign, and until when
    challenge: Mapped[str | None] = mapped_column(String(64))
    challenge_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the school a platform account has entered
    entered_establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: to the minute: the inactivity limit counts from it
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ActivationCode(Owned, Model):
    """A one-time code that lets its bearer choose a password; only its HMAC is kept.

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


class AddressState(LabelledEnum):
    """What became of a changed address; values are what the database keeps."""

    WAITING = "waiting"
    #: by its earlier holder, its owner, or a head signed in
    CONFIRMED = "confirmed"
    #: by silence, for accounts that are not a head's
    COUNTED = "counted"
    REFUSED = "refused"
    #: by a later change
    REPLACED = "replaced"


class AddressChange(Owned, Model):
    """An e-mail address changed by another person: the school's own, or an account's."""

    __tablename__ = "address_change"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("state IN ('waiting', 'confirmed', 'counted', 'refused', 'replaced')", name="state"),
        key_within_school("account_id", "account", name="fk_address_change_account", ondelete="CASCADE"),
        Index("ix_address_change_account", "establishment_id", "account_id"),
        Index("ix_address_change_waiting", "state", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    #: whose address; empty for the school's own
    account_id: Mapped[int | None]
    #: the address that counted then, whose holder was written to; empty when none did
    earlier: Mapped[str] = mapped_column(String(254))
    email: Mapped[str] = mapped_column(String(254))
    #: SHA-256 of the token of the link sent to the earlier address; empty when none was sent
    token_hash: Mapped[str | None] = mapped_column(String(64))
    #: the Message-ID of what carried the link: unlike a row's number, no other message ever takes it
    notice: Mapped[str] = mapped_column(String(300), default="")
    requested_by: Mapped[str] = mapped_column(String(200))
    state: Mapped[AddressState] = mapped_column(EnumValue(AddressState, 12), default=AddressState.WAITING)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: until when the link answers
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SecondFactor(Owned, Model):
    """The second factor of an account; it counts once `confirmed_at` says that a first code was read from it."""

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
    #: sealed under the server's key
    secret: Mapped[str] = mapped_column(String(300))
    #: the HMACs of the recovery codes that are left, separated by blanks
    recovery: Mapped[str] = mapped_column(Text, default="")
    #: the step of 30 seconds whose code was used last: none serves twice
    last_step: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: browsers trusted earlier are asked for a code again
    trusted_from: Mapped[datetime] = mapped_column(UTCDateTime)


class FailureCounter(PlatformOnly, Model):
    """Failed sign-ins of one account, address or browser; kept also for accounts that do not exist."""

    __tablename__ = "failure_counter"

    #: HMAC of what is counted: no identifier or address is kept in clear
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: those that were not forgotten at the last one; see `operations.throttle`
    failures: Mapped[float] = mapped_column(Float)
    last_failure_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ParkedForm(PlatformOnly, Model):
    """What a person had typed when their sign-in ended, or in a refused form: shown again, never applied by itself."""

    __tablename__ = "parked_form"

    #: SHA-256 of the token in the browser's cookie; for a refused form, of its owner and its page
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: "account:12" or "platform:3", "account:12/45" within one sign-in: nobody else gets the form back
    owner: Mapped[str] = mapped_column(String(40))
    #: the page the form stands on
    path: Mapped[str] = mapped_column(String(500))
    #: [[name, value], …]
    fields: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
