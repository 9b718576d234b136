"""Who may do what to whose account: the rules that every action on accounts asks.

The administrator cannot become the head: an account of a head in place changes only by that head or the command line.
Nobody acts on their own powers, and a school keeps an administrator. The command line is the platform's own hand.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from cpro.core.errors import Forbidden
from cpro.core.permissions import Actor, Permission, Role
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment, lock_current_establishment
from cpro.extensions import db
from cpro.users import queries
from cpro.users.errors import ConsentImpossible, LastAdministrator, NotByAdministrator, OwnAccount
from cpro.users.models import Account


def lock(account: Account) -> Establishment:
    """Return the school, kept from other writers until the commit, with the account as it is under that lock."""
    establishment = lock_current_establishment()
    db.session.refresh(account)
    return establishment


def is_command_line(by: Actor) -> bool:
    """Return whether the action comes from the command line, which the head's rules do not bind."""
    return by.kind == "system"


def is_oneself(account: Account, by: Actor) -> bool:
    """Return whether somebody acts on their own account."""
    return by.kind == "account" and by.id == account.id


def is_head_in_place(account: Account) -> bool:
    """Return whether an account is a head's that does not wait for a consent."""
    return account.can(Permission.USERS_CONSENT) and not account.is_pending


def check_head_acts_alone(account: Account, by: Actor, sentence: str) -> None:
    """Raise `NotByAdministrator` with the sentence when another person acts on the account of a head, even pending.

    So it is of every account whose code the administrator must not see: whoever corrects one could receive it.
    """
    if account.role.has_private_code and not is_oneself(account, by) and not is_command_line(by):
        raise NotByAdministrator(sentence)


def check_head(by: Actor, sentence: str) -> None:
    """Raise `Forbidden` with the sentence unless the actor is a head in place; the command line may."""
    if not is_command_line(by) and not queries.is_head_in_place(db.session(), by):
        raise Forbidden(sentence)


def check_not_oneself(account: Account, by: Actor, sentence: str) -> None:
    """Raise `OwnAccount` with the sentence when a person acts on their own account."""
    if is_oneself(account, by):
        raise OwnAccount(sentence)


def has_active(permission: Permission, *, besides: int | None = None, gone: Collection[int] = ()) -> bool:
    """Return whether the school has an account with a right that is active and not pending, `besides` one if asked.

    `gone` are the ids of accounts counted out too.
    """
    wanted = select(Account.id).where(
        Account.holds(permission),
        Account.is_active,
        ~Account.consent_needed | Account.consented_at.is_not(None),
        Account.id.not_in([besides or 0, *gone]),
    )
    return db.session.scalars(wanted.limit(1)).first() is not None


def check_not_last_administrator(account: Account, *, gone: Collection[int] = ()) -> None:
    """Raise `LastAdministrator` when no other administrator would be left able to sign in, besides those `gone`."""
    is_one = account.can(Permission.USERS_EDIT) and account.may_sign_in
    if is_one and not has_active(Permission.USERS_EDIT, besides=account.id, gone=gone):
        raise LastAdministrator


def needs_consent(role: Role, *, besides: int | None = None) -> bool:
    """Return whether an account of a role, opened now, must wait for the head: a further head or administrator, anybody
    else who would read the records of the whole school, and a teacher where the head asked so.

    Raises `ConsentImpossible` for an administrator when no head is there to consent.
    """
    if role.can(Permission.PUPILS_EVALUATE):
        return get_current_establishment().teachers_need_consent
    if role.has_private_code:
        return has_active(Permission.USERS_CONSENT, besides=besides)
    if not role.can(Permission.USERS_EDIT) or not has_active(Permission.USERS_EDIT, besides=besides):
        return False
    if not has_active(Permission.USERS_CONSENT, besides=besides):
        raise ConsentImpossible
    return True
