"""The head's consent to accounts that the administrator created by hand, in the session of the school."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cpro.core.errors import DomainError, Forbidden, refusal_of
from cpro.core.formatting import of_name
from cpro.core.permissions import Actor, Permission
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.users.errors import NotByAdministrator
from cpro.users.models import Account
from cpro.users.operations import codes, head_codes, rules
from cpro.users.operations.audit import record_about
from cpro.users.operations.sign_ins import end_all_sign_ins


class NothingToConsent(DomainError):
    """Raised on consenting to an account that does not wait for it."""


def grant_consent(account: Account, *, mailed_to: str = "", by: Actor, now: datetime) -> None:
    """Let a pending account be activated; a further head's code is then mailed if an address is proved.

    `mailed_to` is that address as shown to the head ("" for none), checked for a further head: an address changed
    meanwhile must not receive the code. Raises `NothingToConsent`, `Forbidden`, `DomainError` if the address changed,
    `HeadCodeUndeliverable`.
    """
    establishment = rules.lock(account)
    check_consent(account, by)
    changes: dict[str, tuple[object, object]] = {"consent": ("attendu", "donné")}
    account.consented_at, account.unseen_by_head = now, False
    if account.role.has_private_code:
        if mailed_to != find_proved_address(establishment):
            raise DomainError(
                "L’adresse où partirait le code a changé entre-temps. Vérifiez-la, puis donnez votre accord à nouveau."
            )
        changes.update(head_codes.mail_code_if_proved(account, establishment, by=by, now=now))
    db.session.flush()
    record_about(db.session(), "account:consent:granted", account, by=by, now=now, changes=changes)


def revoke_consent(account: Account, *, by: Actor, now: datetime) -> None:
    """Revoke the consent: the account waits again, its sign-ins end and its unused codes become void.

    Raises `NothingToConsent` if none was given, `Forbidden`, `NotByAdministrator` for a further head who has activated
    their account (and is now a head in place), `LastAdministrator`.
    """
    rules.lock(account)
    check_revocation(account, by)
    account.consented_at = None
    codes.void_codes(db.session(), [account.id], now=now)
    end_all_sign_ins(db.session(), account)
    db.session.flush()
    changes = {"consent": ("donné", "retiré")}
    record_about(db.session(), "account:consent:revoked", account, by=by, now=now, changes=changes)


def check_consent(account: Account, by: Actor) -> None:
    """Raise as `grant_consent` does if an actor may not consent to an account, regardless of the address."""
    _check_head(account, by)
    if not account.is_pending:
        raise NothingToConsent(f"Le compte {of_name(account.label)} n’attend pas d’accord.")
    if account.role.has_private_code and find_proved_address(get_current_establishment()):
        head_codes.check_address(get_current_establishment(), account)


def check_revocation(account: Account, by: Actor) -> None:
    """Raise as `revoke_consent` does if an actor may not revoke a consent."""
    _check_was_given(account, by)
    rules.check_not_last_administrator(account)


def list_revocable(accounts: Iterable[Account], by: Actor) -> set[int]:
    """Return the ids of the accounts whose consent an actor may revoke; one statement for all of them."""
    administrators = rules.list_two_administrators()

    def check(account: Account) -> None:
        _check_was_given(account, by)
        rules.check_not_last_among(account, administrators)

    return {each.id for each in accounts if refusal_of(check, each) is None}


def _check_was_given(account: Account, by: Actor) -> None:
    _check_head(account, by)
    if account.consented_at is None:
        raise NothingToConsent(f"Aucun accord n’a été donné pour le compte {of_name(account.label)}.")
    if account.can(Permission.USERS_CONSENT) and account.activated_at is not None and not rules.is_command_line(by):
        raise NotByAdministrator(
            f"{account.label} a activé son compte : c’est désormais un chef d’établissement en fonction, et seule "
            "l’équipe qui administre CPro peut le fermer."
        )


def _check_head(account: Account, by: Actor) -> None:
    """Raise `Forbidden` unless the actor is a head in place other than the account itself; the command line may."""
    sentence = "Seul le chef d’établissement en place donne ou retire son accord."
    rules.check_head(by, sentence)
    if rules.is_oneself(account, by):
        raise Forbidden(sentence)
