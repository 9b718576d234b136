"""Closed roles, who closed them, and what that ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.permissions import Permission, Role, roles_with
from cpro.core.tenancy import Owned, key_within_school
from cpro.core.types import EnumValue, UTCDateTime
from cpro.extensions import Model
from cpro.users.models import Account


class RoleLock(Owned, Model):
    """One role of a school, closed and possibly reopened; roles closed by one action have the same instant."""

    __tablename__ = "role_lock"
    __table_args__ = (
        CheckConstraint("(reopened_at IS NULL) = (reopened_by = '')", name="reopened_by_somebody"),
        key_within_school("kept_account_id", "account", name="fk_role_lock_kept_account"),
        # A role has at most one open lock.
        Index(
            "uq_role_lock_open",
            "establishment_id",
            "role",
            unique=True,
            sqlite_where=text("reopened_at IS NULL"),
            postgresql_where=text("reopened_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[Role] = mapped_column(EnumValue(Role, 16))
    locked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: the name and the role, as text, at that time
    locked_by: Mapped[str] = mapped_column(String(200))
    #: the account of an actor who closed their own role: the only account of the role that remains open
    kept_account_id: Mapped[int | None]
    #: how many active accounts of the school were closed
    accounts: Mapped[int] = mapped_column(default=0)
    #: how many open sign-ins were ended; below, how many usable codes were voided
    sign_ins: Mapped[int] = mapped_column(default=0)
    codes: Mapped[int] = mapped_column(default=0)
    reopened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reopened_by: Mapped[str] = mapped_column(String(200), default="")

    def leaves_in_another(self, account_id: int | None) -> bool:
        """Return whether the role remained open to an account other than this one."""
        return self.kept_account_id not in (None, account_id)

    @classmethod
    def shuts(cls) -> ColumnElement[bool]:
        """Return the condition of the locks that close the accounts of the same statement."""
        return (
            (cls.establishment_id == Account.establishment_id)
            & (cls.role == Account.role)
            & cls.reopened_at.is_(None)
            & (cls.kept_account_id.is_(None) | (cls.kept_account_id != Account.id))
        )

    @classmethod
    def is_open_on(cls, permission: Permission) -> ColumnElement[bool]:
        """Return the condition of the locks that currently close roles with a permission."""
        return cls.role.in_(roles_with(permission)) & cls.reopened_at.is_(None)
