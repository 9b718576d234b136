"""Verify what is given as a second factor, a code or a passkey's answer, with the common throttle.

As for the password required again (`identity`), a failure is counted first and committed; success reverts the count.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cpro.config import TRUSTED_DEVICE_LIFE
from cpro.core import tenancy
from cpro.core.errors import DomainError, NotFound
from cpro.core.permissions import Principal
from cpro.core.transactions import platform_unit_of_work
from cpro.users import authentication, queries
from cpro.users.errors import TooManyAttempts, TooManyCodes
from cpro.users.operations import second_factor, sign_ins, throttle
from cpro.users.passkeys import operations as passkeys
from cpro.users.passkeys.party import Party

logger = logging.getLogger(__name__)


class SignInOver(NotFound):
    """Raised if the password was given too long ago: it is required again."""

    message = "La connexion a trop attendu : indiquez à nouveau votre mot de passe."


@dataclass(frozen=True)
class TypedCode:
    """A typed code from an application, or a recovery code."""

    text: str
    refusal = "Ce code n’est pas le bon, ou il a déjà servi. Attendez le suivant."

    def is_right(self, session: Session, account: queries.AnyAccount, sign_in_id: int, *, now: datetime) -> bool:
        """Return whether the code is right, and consume it."""
        factor = queries.find_second_factor(session, account)
        return factor is not None and second_factor.use_code(session, factor, self.text, now=now)


@dataclass(frozen=True)
class PasskeyAnswer:
    """A passkey's answer, as the browser posted it."""

    text: str
    party: Party
    refusal = "Cette clé d’accès n’a pas été reconnue. Réessayez, ou indiquez un code."

    def is_right(self, session: Session, account: queries.AnyAccount, sign_in_id: int, *, now: datetime) -> bool:
        """Return whether the answer is right, and consume the challenge."""
        return passkeys.use(session, account, sign_in_id, self.text, self.party, now=now)


Given = TypedCode | PasskeyAnswer


def pass_at_sign_in(
    token: str, reference: str, given: Given, *, is_known: bool, trusts: bool, origin: str, now: datetime
) -> tuple[authentication.SignedIn, int]:
    """Complete a sign-in that waits for a code; return it, with a new token, and the id of the second factor.

    `is_known` means that this browser signed in to the account before (`throttle.code_throttle`), `trusts` that its
    owner trusts it from now on.
    Raises `SignInOver`, `DomainError` on the field `code`, `TooManyCodes`.
    """
    with tenancy.platform_session("sign-in: a code is asked") as lookup:
        found = queries.find_pending_sign_in(lookup, token, now=now)
        if found is None:
            raise SignInOver
        kind, account_id, sign_in_id = authentication.kind_of(found.account), found.account.id, found.sign_in.id
    _compare(kind, account_id, sign_in_id, given, is_known=is_known, now=now)
    with platform_unit_of_work("sign-in: the code was right") as work:
        queries.lock_account(work.session, kind, account_id)
        found = queries.find_pending_sign_in(work.session, token, now=now)
        factor = queries.find_second_factor(work.session, found.account) if found else None
        if found is None or factor is None:
            raise SignInOver
        account = found.account
        actor = authentication.actor_for(account, origin)
        trusted_until = now + TRUSTED_DEVICE_LIFE if trusts else None
        new = sign_ins.complete_sign_in(
            work.session, found.sign_in, account, by=actor, now=now, trusted_until=trusted_until
        )
        return authentication.SignedIn(new, authentication.owner_of(account), reference), factor.id


def check_code(principal: Principal, given: Given, *, now: datetime) -> None:
    """Check what the signed-in person gave. Raises `DomainError` on `code`, `TooManyCodes`."""
    _compare(principal.kind, principal.id, principal.sign_in_id, given, is_known=True, now=now)


def pass_again(principal: Principal, given: Given, *, now: datetime) -> None:
    """Check a code or a passkey and note it in the sign-in; raise as `check_code`."""
    check_code(principal, given, now=now)
    with platform_unit_of_work("second factor: a code was right again") as work:
        queries.lock_account(work.session, principal.kind, principal.id)
        sign_ins.note_code_given(work.session, principal.sign_in_id, now=now)


def _compare(kind: str, account_id: int, sign_in_id: int, given: Given, *, is_known: bool, now: datetime) -> None:
    owner = f"{kind}:{account_id}"
    throttles = [throttle.code_throttle(owner, is_known=is_known)]
    try:
        with platform_unit_of_work("second factor: counting failures") as work:
            throttle.reserve_attempt(work.session, throttles, now=now)
    except TooManyAttempts as refusal:
        raise TooManyCodes(timedelta(seconds=refusal.seconds)) from None
    with platform_unit_of_work("second factor: a code is compared") as work:
        account = queries.lock_account(work.session, kind, account_id)
        is_right = given.is_right(work.session, account, sign_in_id, now=now)
        if is_right:
            throttle.release_attempt(work.session, throttles)
    if not is_right:
        logger.warning("second factor refused: %s", owner)
        raise DomainError(given.refusal, field="code")
