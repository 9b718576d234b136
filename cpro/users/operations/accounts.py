"""Create, reset and disable accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.drafts import operations as drafts
from cpro.core.errors import DomainError
from cpro.core.habits import operations as habits
from cpro.core.permissions import Actor, Role
from cpro.core.validators import normalise_email
from cpro.users.models import Account, PlatformAccount
from cpro.users.operations import codes, throttle
from cpro.users.operations.audit import record_about
from cpro.users.operations.sign_ins import end_all_sign_ins
from cpro.users.queries import AnyAccount


def create_account(
    session: Session,
    *,
    establishment_id: int,
    login: str,
    role: Role,
    first_name: str,
    last_name: str,
    email: str = "",
    by: Actor,
    now: datetime,
) -> Account:
    """Create an account of a school, not yet activated, for the platform's operator; its address needs no confirmation.

    Raises `DomainError` if the login is taken.
    """
    taken = session.scalars(
        select(Account.id).where(Account.establishment_id == establishment_id, Account.login == login)
    ).first()
    if taken:
        raise DomainError(f"L’identifiant « {login} » est déjà pris dans cet établissement.", field="login")
    account = Account(
        establishment_id=establishment_id,
        login=login,
        role=role,
        first_name=first_name,
        last_name=last_name,
        email=normalise_email(email),
        confirmed_email=normalise_email(email),
        created_at=now,
    )
    session.add(account)
    session.flush()
    record_about(session, "account:created", account, by=by, now=now)
    return account


def create_platform_account(
    session: Session, *, email: str, role: Role, name: str, by: Actor, now: datetime
) -> PlatformAccount:
    """Create an account of the platform, not yet activated. Raises `DomainError` if the address is taken."""
    address = normalise_email(email).lower()
    if not address:
        raise DomainError("Indiquez une adresse électronique.", field="email")
    if session.scalars(select(PlatformAccount.id).where(PlatformAccount.email == address)).first():
        raise DomainError(f"Un compte de la plateforme porte déjà l’adresse « {address} ».", field="email")
    account = PlatformAccount(email=address, role=role, name=name.strip() or address, created_at=now)
    session.add(account)
    session.flush()
    record_about(session, "account:created", account, by=by, now=now)
    return account


def reset(session: Session, account: AnyAccount, *, by: Actor, now: datetime) -> str:
    """Return a new activation code; the password stops working, every sign-in ends, failure counters are reset."""
    account.password_hash = None
    end_all_sign_ins(session, account)
    throttle.forget_failures(session, account)
    code = codes.create_code(session, account, now=now)
    record_about(session, "account:reset", account, by=by, now=now)
    return code


def enable(session: Session, account: PlatformAccount, *, by: Actor, now: datetime) -> None:
    """Let a disabled platform account sign in again with its earlier password; repeating it has no effect."""
    if account.is_active:
        return
    account.is_active = True
    record_about(session, "account:enabled", account, by=by, now=now, changes={"is_active": (False, True)})


def disable(session: Session, account: AnyAccount, *, by: Actor, now: datetime) -> None:
    """Disable an account: its sign-ins end, its drafts and saved lists are deleted, its data remains."""
    account.is_active = False
    if isinstance(account, Account):
        drafts.forget_account(session, account.id)
        habits.forget_account(session, account.id)
    end_all_sign_ins(session, account)
    record_about(session, "account:disabled", account, by=by, now=now)
