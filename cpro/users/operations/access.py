"""Close, reopen and reset accounts, in the session of the school."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from cpro.core.errors import DomainError, check_password_given, refusal_of
from cpro.core.permissions import Actor
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.users.errors import ConsentPending, InactiveAccount, NotByAdministrator
from cpro.users.models import Account
from cpro.users.operations import accounts, codes, head_codes, rules, second_factor, teachers
from cpro.users.operations.audit import record_about


def deactivate_account(account: Account, *, by: Actor, now: datetime) -> None:
    """Deactivate an account: its sign-ins end, its unused codes become void, its data remains.

    A head waiting for consent may be deactivated this way; a head in place only from the command line. Deactivating
    twice has no effect. Raises `OwnAccount`, `NotByAdministrator`, `LastAdministrator`.
    """
    rules.lock(account)
    check_deactivation(account, by)
    if not account.is_active:
        return
    codes.void_codes(db.session(), [account.id], now=now)
    accounts.disable(db.session(), account, by=by, now=now)


def reactivate_account(account: Account, *, by: Actor, now: datetime) -> None:
    """Let a deactivated account sign in again with its earlier password; codes voided by the deactivation remain void.

    An administrator reactivated while another is in place needs the head's consent again, as does a teacher if the
    head requires it; heads are notified of teachers. Reactivating twice has no effect. Raises `OwnAccount`,
    `NotByAdministrator`, `ConsentImpossible`.
    """
    establishment = rules.lock(account)
    check_reactivation(account, by)
    if account.is_active:
        return
    changes: dict[str, tuple[object, object]] = {"is_active": (False, True)}
    if not account.role.has_private_code and not rules.is_command_line(by):
        account.consent_needed = will_wait(account)
        account.consented_at = None
        if account.consent_needed:
            changes["consent_needed"] = (False, True)
    account.is_active = True
    record_about(db.session(), "account:enabled", account, by=by, now=now, changes=changes)
    teachers.notify_heads(account, establishment, "réactivé", by=by, now=now)


def reset_account(account: Account, *, password_given: bool = False, by: Actor, now: datetime) -> str | None:
    """Return a new one-time code to be shown once; the password stops working and every sign-in ends.

    For a head who never activated their account, the code is mailed to the proved address and None is returned: the
    actor must not see it. A teacher is notified. Raises `OwnAccount`, `NotByAdministrator` for a head who did activate
    it, `ConsentPending`, `InactiveAccount`, `HeadCodeUndeliverable`, `PasswordNeeded`.
    """
    establishment = rules.lock(account)
    check_reset(account, by)
    check_password_given(password_given, "Pour réinitialiser ce compte", by=by)
    if not account.role.has_private_code:
        teachers.notify_of_codes([account], establishment, by=by, now=now)
        return accounts.reset(db.session(), account, by=by, now=now)
    address = head_codes.mail_code(account, establishment, by=by, now=now)
    changes = {"code_mailed_to": (None, address)}
    record_about(db.session(), "account:reset", account, by=by, now=now, changes=changes)
    return None


def reset_second_factor(account: Account, *, password_given: bool = False, by: Actor, now: datetime) -> None:
    """Remove the second factor of a person of the school.

    Raises as `check_second_factor_reset`, and `PasswordNeeded`.
    """
    rules.lock(account)
    check_second_factor_reset(account, by)
    check_password_given(password_given, "Pour réinitialiser ce second facteur", by=by)
    second_factor.reset(db.session(), account, by=by, now=now)


def has_second_factor(account: Account) -> bool:
    """Return whether a person has a confirmed second factor."""
    return second_factor.is_set(db.session(), account)


def find_code_deadline(account: Account, *, now: datetime) -> datetime | None:
    """Return until when the printed or mailed activation code of an account is valid, or None."""
    return codes.list_printed_until(db.session(), [account.id], now=now).get(account.id)


def check_second_factor_reset(account: Account, by: Actor) -> None:
    """Raise `Forbidden` if the actor is not above the holder, `DomainError` if there is no second factor."""
    second_factor.check_reset(db.session(), account, by)
    if not second_factor.is_set(db.session(), account):
        raise DomainError(f"{account.label} n’a pas de second facteur.")


def deactivate_accounts(accounts: Sequence[Account], *, by: Actor, now: datetime) -> dict[int, DomainError]:
    """Deactivate the accounts that may be; return the refusals of the others, by id."""
    return _act_on_each(deactivate_account, accounts, by=by, now=now)


def reactivate_accounts(accounts: Sequence[Account], *, by: Actor, now: datetime) -> dict[int, DomainError]:
    """Reactivate the accounts that may be; return the refusals of the others, by id."""
    return _act_on_each(reactivate_account, accounts, by=by, now=now)


def _act_on_each(
    act: Callable[..., None], accounts: Sequence[Account], *, by: Actor, now: datetime
) -> dict[int, DomainError]:
    refused: dict[int, DomainError] = {}
    for account in accounts:
        try:
            act(account, by=by, now=now)
        except DomainError as refusal:
            refused[account.id] = refusal
    return refused


def check_deactivation(account: Account, by: Actor, *, gone: Collection[int] = ()) -> None:
    """Raise as `deactivate_account` does if an actor may not deactivate an account.

    `gone` are the ids of accounts that will have been deactivated before it.
    """
    rules.check_not_oneself(account, by, "Personne ne désactive son propre compte.")
    if rules.is_head_in_place(account) and not rules.is_command_line(by):
        raise NotByAdministrator(
            "Le compte d’un chef d’établissement ne se désactive pas ici : adressez-vous à l’équipe qui administre "
            "CPro."
        )
    rules.check_not_last_administrator(account, gone=gone)


def list_not_to_deactivate(accounts: Sequence[Account], by: Actor, *, together: bool) -> dict[int, DomainError]:
    """Return the refusals to deactivate accounts, by id: each checked on its own, or all `together` in that order.

    Together, two administrators cannot both be deactivated if no other is left.
    """
    refused: dict[int, DomainError] = {}
    gone: list[int] = []
    for account in accounts:
        refusal = refusal_of(check_deactivation, account, by, gone=gone if together else ())
        if refusal is None:
            gone.append(account.id)
        else:
            refused[account.id] = refusal
    return refused


def check_reactivation(account: Account, by: Actor) -> None:
    """Raise as `reactivate_account` does if an actor may not reactivate an account."""
    rules.check_not_oneself(account, by, "Personne ne réactive son propre compte.")
    rules.check_head_acts_alone(
        account,
        by,
        "Le compte d’un chef d’établissement ne se réactive pas ici : adressez-vous à l’équipe qui administre CPro.",
    )
    if not account.is_active and not rules.is_command_line(by):
        will_wait(account)


def will_wait(account: Account) -> bool:
    """Return whether a deactivated account would need the head's consent once the school reactivates it.

    Raises `ConsentImpossible` for an administrator if there is no head to consent.
    """
    again = not account.role.has_private_code and rules.needs_consent(account.role, besides=account.id)
    return account.is_pending or again


def check_reset(account: Account, by: Actor) -> None:
    """Raise as `reset_account` does if an actor may not reset an account."""
    check_may_have_code(account, by)
    if account.role.has_private_code:
        head_codes.check_address(get_current_establishment(), account)


def check_may_have_code(account: Account, by: Actor) -> None:
    """Raise as `reset_account` does if an actor may not create a code for an account."""
    rules.check_not_oneself(account, by, "Votre propre mot de passe se change dans « Mon compte ».")
    if account.is_pending:
        raise ConsentPending(account.label)
    if account.role.has_private_code and account.activated_at is not None:
        raise NotByAdministrator(
            "Le compte d’un chef d’établissement déjà activé ne se réinitialise pas ici : la personne utilise « Mot de "
            "passe oublié », ou s’adresse à l’équipe qui administre CPro."
        )
    if not account.is_active:
        raise InactiveAccount(account.label)
