"""Accounts of schools and of the platform, and the changes of their addresses; signing in is in `sign_in_models`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
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
    """Return an index by name on the accounts in some state, with the condition as each database understands it."""
    columns = ("establishment_id", "search_key", "id")
    return Index(f"ix_account_{name}", *columns, sqlite_where=text(on_sqlite), postgresql_where=text(condition))


class Account(Owned, Searched, Model):
    """An account of one school, with a login unique in it.

    `email` is the address last typed, by anybody who may; `confirmed_email` the one its holder proved, or that took
    effect. Whatever lets somebody in or warns of it (codes, links, notices) is sent to `confirmed_email` alone; forms,
    imports and the search of a person take `email`; whether an address is taken asks both (`has_address`).
    """

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        UniqueConstraint("establishment_id", "login", name="uq_account_login"),
        UniqueConstraint("establishment_id", "sts_key"),
        Index("ix_account_search_key", "establishment_id", "search_key", "id"),
        Index("ix_account_email", "establishment_id", "email"),
        # One per filter of the list, each ending with the sort columns of the list.
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
        {"sqlite_autoincrement": True},  # the journal refers to it by id: ids must not be reused
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
    #: as last typed; empty for most pupils and for teachers imported from STS, which has none
    email: Mapped[str] = mapped_column(
        String(254), default="", info=shown("Adresse électronique saisie", in_list=False)
    )
    #: the address in effect: codes go there, even if another person has typed a new one (`operations.addresses`)
    confirmed_email: Mapped[str] = mapped_column(
        String(254), default="", server_default="", info=shown("Adresse qui reçoit les codes", in_list=False)
    )
    #: what a teacher teaches
    discipline: Mapped[str] = mapped_column(String(100), default="", info=shown("Discipline", in_list=False))
    #: "type:id" of a person in STS-Web, stable within the school; set only by imports
    sts_key: Mapped[str | None] = mapped_column(String(28))
    #: Argon2id; empty until the account is activated
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    #: whether the account needs the head's consent before it can be opened: a further head or administrator, or a
    #: teacher if the head requires it
    consent_needed: Mapped[bool] = mapped_column(default=False)
    consented_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: a teacher's account opened by the administrator, not yet marked as reviewed by the head
    unseen_by_head: Mapped[bool] = mapped_column(default=False, server_default=false())
    activated_at: Mapped[datetime | None] = mapped_column(UTCDateTime, info=shown("Activé le", "day", in_list=False))
    last_sign_in_at: Mapped[datetime | None] = mapped_column(
        UTCDateTime, info=shown("Dernière connexion", "day", sort=("sign_in_sort", "search_key"))
    )
    sign_in_sort: Mapped[datetime] = empty_last("last_sign_in_at", UTCDateTime())
    #: family and first names and login, folded: the sort and search key of lists
    search_key: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: since when a second factor is required (`second_factor_policy`)
    second_factor_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: until when the person has read their news; empty before the first time
    news_read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: the last journal line shown when the person read their news: ids follow the commits of a school, while a long
    #: action is dated earlier than lines already read; not a foreign key: the audit feature owns its lines
    news_read_line: Mapped[int | None]

    @classmethod
    def holds(cls, permission: Permission) -> ColumnElement[bool]:
        """Return the condition of the accounts whose role has a permission."""
        return cls.role.in_(roles_with(permission))

    @classmethod
    def has_role(cls, role: Role) -> ColumnElement[bool]:
        """Return the condition of the accounts of a role chosen in a list."""
        return cls.role == role

    def can(self, permission: Permission) -> bool:
        """Return whether the account's role has a permission; see `may_sign_in` for whether the account is usable."""
        return self.role.can(permission)

    def is_named(self, last_name: str, first_name: str) -> bool:
        """Return whether the account has this full name, ignoring case and accents."""
        return fold(f"{self.last_name} {self.first_name}") == fold(f"{last_name} {first_name}")

    def has_address(self, email: str) -> bool:
        """Return whether an e-mail address is the account's, typed or proved; False for ""."""
        return bool(email) and email.casefold() in (self.email.casefold(), self.confirmed_email.casefold())

    @property
    def label(self) -> str:
        """Return the person's name as written in sentences."""
        return spoken_name(self.first_name, self.last_name)

    @property
    def is_pending(self) -> bool:
        """Return whether the account is still waiting for the head's consent."""
        return self.consent_needed and self.consented_at is None

    @computed("État", needs=("is_active", "consent_needed", "consented_at", "activated_at"))
    def state(self) -> str:
        """Return the state of the account as a label."""
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
    """An account of the platform: an inspector or a member of the support, shared by all schools."""

    __tablename__ = "platform_account"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("role IN ('inspector', 'support')", name="role"),
        {"sqlite_autoincrement": True},  # the journal refers to it by id: ids must not be reused
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
    #: since when a second factor is required
    second_factor_since: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @classmethod
    def has_role(cls, role: Role) -> ColumnElement[bool]:
        """Return the condition of the accounts of a role chosen in a list."""
        return cls.role == role

    def can(self, permission: Permission) -> bool:
        """Return whether the account's role has a permission."""
        return self.role.can(permission)

    @property
    def login(self) -> str:
        """Return the identifier, under the same name as a school account's."""
        return self.email

    @property
    def label(self) -> str:
        """Return the person's display name."""
        return self.name

    @property
    def state(self) -> str:
        """Return the state of the account as a label."""
        if not self.is_active:
            return "désactivé"
        return "actif" if self.activated_at else "jamais activé"

    @property
    def may_sign_in(self) -> bool:
        """Return whether the right password or code opens the account."""
        return self.is_active


class AddressState(LabelledEnum):
    """The outcome of a changed address; values are stored in the database."""

    WAITING = "waiting"
    #: by the holder of the earlier address, the owner, or a signed-in head
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
    #: the account with the address; empty for the school's own
    account_id: Mapped[int | None]
    #: the address in effect at the time, to which the notice was sent; empty if there was none
    earlier: Mapped[str] = mapped_column(String(254))
    email: Mapped[str] = mapped_column(String(254))
    #: SHA-256 of the token of the link sent to the earlier address; empty if none was sent
    token_hash: Mapped[str | None] = mapped_column(String(64))
    #: the Message-ID of the notice with the link: unlike a row's id, it is never reused
    notice: Mapped[str] = mapped_column(String(300), default="")
    requested_by: Mapped[str] = mapped_column(String(200))
    state: Mapped[AddressState] = mapped_column(EnumValue(AddressState, 12), default=AddressState.WAITING)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: when the link expires
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
