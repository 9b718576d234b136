"""Queries of the closed roles, and of past incidents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Select, distinct, exists, func, select
from sqlalchemy.orm import Session

from cpro.core.errors import NotFound
from cpro.core.permissions import Permission, Role
from cpro.establishments.models import Establishment
from cpro.extensions import db
from cpro.users.emergency.models import RoleLock
from cpro.users.models import Account, PlatformAccount
from cpro.users.sign_in_life import has_life_left
from cpro.users.sign_in_models import SignIn

#: Maximum number of closings shown on the page.
_SHOWN = 20


def shuts_account() -> ColumnElement[bool]:
    """Return the condition, for a statement on accounts, that their role is closed to them."""
    return exists().where(RoleLock.shuts()).correlate(Account)


def shuts_school_to(permission: Permission) -> ColumnElement[bool]:
    """Return the condition, for a statement on schools, that a role with a permission is closed there."""
    of_school = RoleLock.establishment_id == Establishment.id
    return exists().where(of_school, RoleLock.is_open_on(permission)).correlate(Establishment)


def is_shut_out(session: Session, account: Account | PlatformAccount) -> bool:
    """Return whether the role of an account is closed to it now; never for a platform account."""
    if isinstance(account, PlatformAccount):
        return False
    return bool(session.scalar(select(shuts_account()).where(Account.id == account.id)))


def find_lock_on(account_id: int) -> RoleLock | None:
    """Return the lock that currently closes an account of the current school, or None."""
    locks = select(RoleLock).join(Account, RoleLock.shuts()).where(Account.id == account_id)
    return db.session.scalars(locks).one_or_none()


def list_shut_out(account_ids: Collection[int]) -> set[int]:
    """Return which accounts of the current school are closed now."""
    shut = select(Account.id).where(Account.id.in_(account_ids), shuts_account())
    return {*db.session.scalars(shut)}


def find_open_lock(session: Session, establishment_id: int, role: Role) -> RoleLock | None:
    """Return the lock that currently closes a role of a school, or None."""
    return session.scalars(
        select(RoleLock).where(
            RoleLock.establishment_id == establishment_id, RoleLock.role.in_([role]), RoleLock.reopened_at.is_(None)
        )
    ).one_or_none()


def select_open_locks() -> Select[int]:
    """Return the ids of the open locks, in the order of closing."""
    return select(RoleLock.id).where(RoleLock.reopened_at.is_(None)).order_by(RoleLock.id)


def list_open_locks() -> Sequence[RoleLock]:
    """Return the open locks of the current school, in the order of closing."""
    return db.session.scalars(select(RoleLock).where(RoleLock.reopened_at.is_(None)).order_by(RoleLock.id)).all()


@dataclass(frozen=True)
class Incident:
    """One action that closed one or more roles, in the order of the roles."""

    locks: Sequence[RoleLock]

    @property
    def id(self) -> int:
        """Return the id of the incident in URLs."""
        return self.locks[0].id

    @property
    def locked_at(self) -> datetime:
        """Return when the roles were closed."""
        return self.locks[0].locked_at

    @property
    def locked_by(self) -> str:
        """Return who closed them."""
        return self.locks[0].locked_by

    @property
    def roles(self) -> list[Role]:
        """Return the roles that were closed."""
        return [each.role for each in self.locks]

    @property
    def accounts(self) -> int:
        """Return how many accounts were closed."""
        return sum(each.accounts for each in self.locks)

    @property
    def sign_ins(self) -> int:
        """Return how many sign-ins were ended."""
        return sum(each.sign_ins for each in self.locks)

    @property
    def codes(self) -> int:
        """Return how many unused codes were voided."""
        return sum(each.codes for each in self.locks)

    @property
    def is_over(self) -> bool:
        """Return whether every role was reopened."""
        return all(each.reopened_at is not None for each in self.locks)


def list_incidents() -> list[Incident]:
    """Return the latest closings of the current school, newest first."""
    instants = select(RoleLock.locked_at).distinct().order_by(RoleLock.locked_at.desc()).limit(_SHOWN)
    locks = db.session.scalars(
        select(RoleLock).where(RoleLock.locked_at.in_(instants)).order_by(RoleLock.locked_at.desc(), RoleLock.id)
    )
    return [Incident(list(together)) for _instant, together in groupby(locks, lambda each: each.locked_at)]


def get_incident(lock_id: int) -> Incident:
    """Return the closing that a lock of the current school belongs to, or raise `NotFound`."""
    named = db.session.scalars(select(RoleLock).where(RoleLock.id == lock_id)).one_or_none()
    if named is None:
        raise NotFound("Cette fermeture n’existe pas.")
    together = select(RoleLock).where(RoleLock.locked_at == named.locked_at).order_by(RoleLock.id)
    return Incident(db.session.scalars(together).all())


@dataclass(frozen=True)
class People:
    """The number of active accounts of a role, and of their open sign-ins."""

    accounts: int = 0
    sign_ins: int = 0


def count_people(
    establishment_id: int,
    *,
    session: Session | None = None,
    kept_account_id: int | None = None,
    kept_sign_in_id: int | None = None,
    now: datetime,
) -> dict[Role, People]:
    """Return the figures of each role with accounts in a school, as pages show them and the journal stores them.

    `kept_account_id` and `kept_sign_in_id`, of an actor who closes their own role, are not counted. Inspectors have no
    figures: their accounts belong to the platform, and their sign-ins do not end.
    """
    is_live = has_life_left(now) & SignIn.awaits_code.is_(False) & (SignIn.id != (kept_sign_in_id or 0))
    accounts = func.count(distinct(func.nullif(Account.id, kept_account_id or 0)))
    counted = (
        select(Account.role, accounts, func.count(SignIn.id))
        .outerjoin(SignIn, (SignIn.account_id == Account.id) & is_live)
        .where(Account.establishment_id == establishment_id, Account.is_active)
        .group_by(Account.role)
    )
    return {role: People(number, sign_ins) for role, number, sign_ins in (session or db.session).execute(counted)}
