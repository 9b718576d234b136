"""Queries of an account's passkeys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from cpro.users.models import PlatformAccount
from cpro.users.passkeys.models import Passkey
from cpro.users.queries import AnyAccount


def list_passkeys(session: Session, account: AnyAccount) -> Sequence[Passkey]:
    """Return the passkeys of an account, the oldest first."""
    return session.scalars(select(Passkey).where(passkeys_of(account)).order_by(Passkey.id)).all()


def has_passkeys(session: Session, account: AnyAccount) -> bool:
    """Return whether an account has a passkey."""
    return bool(session.scalar(select(exists().where(passkeys_of(account)))))


def find_passkey(session: Session, account: AnyAccount, credential_id: str) -> Passkey | None:
    """Return the passkey of an account by its credential id, None if it is another account's."""
    return session.scalars(
        select(Passkey).where(passkeys_of(account), Passkey.credential_id == credential_id)
    ).one_or_none()


def passkeys_of(account: AnyAccount) -> ColumnElement[bool]:
    """Return the condition of the passkeys of an account."""
    if isinstance(account, PlatformAccount):
        return Passkey.platform_account_id == account.id
    return Passkey.account_id == account.id
