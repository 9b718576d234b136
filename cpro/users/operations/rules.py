"""Who may do what to whose account: the rules that every action on accounts asks.

The administrator cannot become the head: an account of a head in place changes only by that head or the command line.
Nobody changes their own powers, and a school keeps an administrator. The command line acts for the platform's
operator, whom these rules do not bind.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from cpro.core.errors import Forbidden
from cpro.core.permissions import Actor, Permission, Role
from cpro.establishments.models import Establishment, TeachersConsent
from cpro.establishments.queries import get_current_establishment, lock_current_establishment
from cpro.extensions import db
from cpro.users import queries
from cpro.users.errors import ConsentImpossible, LastAdministrator, NotByAdministrator, OwnAccount
from cpro.users.models import Account
from cpro.users.queries import AnyAccount


def lock(account: Account) -> Establishment:
    """Return the school, kept from other writers until the commit, with the account as it is under that lock."""
    establishment = lock_current_establishment()
    db.session.refresh(account)
    return establishment


def is_command_line(by: Actor) -> bool:
    """Return whether the action comes from the command line, which the head's rules do not bind."""
    return by.kind == "system"


def is_oneself(account: Account, by: Actor) -> bool:
    """Return whether the actor acts on their own account."""
    return by.kind == "account" and by.id == account.id


def is_head_in_place(account: Account) -> bool:
    """Return whether an account is a head's that does not wait for a consent."""
    return account.can(Permission.USERS_CONSENT) and not account.is_pending


def check_head_acts_alone(account: Account, by: Actor, sentence: str) -> None:
    """Raise `NotByAdministrator` with the sentence when another person acts on the account of a head, even pending.

    The same holds for every account whose code the administrator must not see: by correcting its address, they could
    receive the code.
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


def check_is_above(session: Session, account: AnyAccount, by: Actor, sentence: str) -> None:
    """Raise `Forbidden` with the sentence unless the actor is above an account's holder, `OwnAccount` for their own.

    A head in place is above everybody of their school, another head included, and above the inspectors to whom the
    school is open, which the caller checks; nobody of a school is above the support. The command line is above all.
    """
    if is_command_line(by):
        return
    if isinstance(account, Account):
        check_not_oneself(account, by, sentence)
    head = queries.find_acting(session, by)
    if head is None or not head.may_sign_in or not head.can(Permission.SECOND_FACTORS_RESET):
        raise Forbidden(sentence)
    if isinstance(account, Account):
        is_below = account.establishment_id == head.establishment_id
    else:
        is_below = account.can(Permission.MANDATE_ENTER)
    if not is_below:
        raise Forbidden(sentence)


def has_active(permission: Permission, *, besides: int | None = None, gone: Collection[int] = ()) -> bool:
    """Return whether the school has an account with a right that is active and not pending, `besides` one if asked.

    `gone` are the ids of accounts counted out too.
    """
    wanted = _select_active(permission).where(Account.id.not_in([besides or 0, *gone]))
    return db.session.scalars(wanted.limit(1)).first() is not None


def _select_active(permission: Permission) -> Select[int]:
    return select(Account.id).where(
        Account.holds(permission),
        Account.is_active,
        ~Account.consent_needed | Account.consented_at.is_not(None),
    )


def list_two_administrators() -> Collection[int]:
    """Return the ids of two administrators able to sign in, fewer where there are: enough to tell who is the last."""
    return db.session.scalars(_select_active(Permission.USERS_EDIT).limit(2)).all()


def check_not_last_administrator(account: Account, *, gone: Collection[int] = ()) -> None:
    """Raise `LastAdministrator` when no other administrator would be left able to sign in, besides those `gone`."""
    if _administers(account) and not has_active(Permission.USERS_EDIT, besides=account.id, gone=gone):
        raise LastAdministrator


def check_not_last_among(account: Account, administrators: Collection[int]) -> None:
    """Raise as `check_not_last_administrator` does, of one account among many: two administrators are read for all."""
    if _administers(account) and not {*administrators} - {account.id}:
        raise LastAdministrator


def _administers(account: Account) -> bool:
    return account.can(Permission.USERS_EDIT) and account.may_sign_in


def needs_consent(role: Role, *, besides: int | None = None, by_export: bool = False) -> bool:
    """Return whether an account of a role, opened now, must wait for the head: a further head or administrator, anybody
    else who would read the records of the whole school, and a teacher unless the head said otherwise.

    A teacher `by_export` is named by a file of STS-Web, and waits only where the head wants it of these too.
    Raises `ConsentImpossible` for an administrator when no head is there to consent.
    """
    if role.can(Permission.PUPILS_EVALUATE):
        asked = get_current_establishment().teachers_consent
        return asked is TeachersConsent.ALL or (asked is TeachersConsent.TYPED and not by_export)
    if role.has_private_code:
        return has_active(Permission.USERS_CONSENT, besides=besides)
    if not role.can(Permission.USERS_EDIT) or not has_active(Permission.USERS_EDIT, besides=besides):
        return False
    if not has_active(Permission.USERS_CONSENT, besides=besides):
        raise ConsentImpossible
    return True
