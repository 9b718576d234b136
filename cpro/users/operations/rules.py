"""Who may do what to which account: the rules that every action on accounts checks.

The administrator cannot become the head: an account of a head in place is changed only by that head or the command
line. People cannot change their own powers, and a school keeps an administrator. The command line acts for the
platform's operator, to whom these rules do not apply.
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
    """Lock the school until the commit, refresh the account under that lock, and return the school."""
    establishment = lock_current_establishment()
    db.session.refresh(account)
    return establishment


def is_command_line(by: Actor) -> bool:
    """Return whether the action comes from the command line, to which the head's rules do not apply."""
    return by.kind == "system"


def is_oneself(account: Account, by: Actor) -> bool:
    """Return whether the actor acts on their own account."""
    return by.kind == "account" and by.id == account.id


def is_head_in_place(account: Account) -> bool:
    """Return whether an account is a head's that is not waiting for consent."""
    return account.can(Permission.USERS_CONSENT) and not account.is_pending


def check_head_acts_alone(account: Account, by: Actor, sentence: str) -> None:
    """Raise `NotByAdministrator` with the sentence if another person acts on the account of a head, even a pending one.

    The same applies to every account whose code the administrator must not see: by correcting its address, they could
    receive the code.
    """
    if account.role.has_private_code and not is_oneself(account, by) and not is_command_line(by):
        raise NotByAdministrator(sentence)


def check_head(by: Actor, sentence: str) -> None:
    """Raise `Forbidden` with the sentence unless the actor is a head in place; the command line may."""
    if not is_command_line(by) and not queries.is_head_in_place(db.session(), by):
        raise Forbidden(sentence)


def check_not_oneself(account: Account, by: Actor, sentence: str) -> None:
    """Raise `OwnAccount` with the sentence if a person acts on their own account."""
    if is_oneself(account, by):
        raise OwnAccount(sentence)


def check_is_above(session: Session, account: AnyAccount, by: Actor, sentence: str) -> None:
    """Raise `Forbidden` with the sentence unless the actor is above an account's holder, `OwnAccount` for their own.

    A head in place is above everyone in their school, including another head. No one in a school is above a platform
    account, which serves other schools too: an inspector's mandate may come from anyone's school. The command line is
    above all.
    """
    if is_command_line(by):
        return
    if isinstance(account, Account):
        check_not_oneself(account, by, sentence)
    head = queries.find_acting(session, by)
    if head is None or not head.may_sign_in or not head.can(Permission.SECOND_FACTORS_RESET):
        raise Forbidden(sentence)
    if not isinstance(account, Account) or account.establishment_id != head.establishment_id:
        raise Forbidden(sentence)


def has_active(permission: Permission, *, besides: int | None = None, gone: Collection[int] = ()) -> bool:
    """Return whether the school has an active, not pending account with a permission, `besides` one if given.

    `gone` are the ids of other accounts not to count.
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
    """Return the ids of at most two administrators able to sign in: enough to know whether one is the last."""
    return db.session.scalars(_select_active(Permission.USERS_EDIT).limit(2)).all()


def check_not_last_administrator(account: Account, *, gone: Collection[int] = ()) -> None:
    """Raise `LastAdministrator` if no other administrator would be able to sign in, without those `gone`."""
    if _administers(account) and not has_active(Permission.USERS_EDIT, besides=account.id, gone=gone):
        raise LastAdministrator


def check_not_last_among(account: Account, administrators: Collection[int]) -> None:
    """Raise as `check_not_last_administrator`, for one account of many: two administrators are read for all."""
    if _administers(account) and not {*administrators} - {account.id}:
        raise LastAdministrator


def _administers(account: Account) -> bool:
    return account.can(Permission.USERS_EDIT) and account.may_sign_in


def needs_consent(role: Role, *, besides: int | None = None, by_export: bool = False) -> bool:
    """Return whether a new account of a role must wait for the head's consent.

    It applies to a further head or administrator, anyone else who would read the records of the whole school, and a
    teacher unless the head decided otherwise. A teacher `by_export` comes from a file of STS-Web, and waits only if the
    head requires it for these too. Raises `ConsentImpossible` for an administrator if there is no head to consent.
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
