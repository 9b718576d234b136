"""The comparison of a second factor's code, on the one throttle.

As the password asked again (`identity`), a failure is counted first and committed; success takes the count back.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from cpro.core import tenancy
from cpro.core.errors import DomainError, NotFound
from cpro.core.permissions import Principal
from cpro.core.transactions import platform_unit_of_work
from cpro.users import authentication, queries
from cpro.users.errors import TooManyAttempts, TooManyCodes
from cpro.users.models import SecondFactor
from cpro.users.operations import second_factor, sign_ins, throttle

logger = logging.getLogger(__name__)


class SignInOver(NotFound):
    """Say that the password was given too long ago: it is asked again."""

    message = "La connexion a trop attendu : indiquez à nouveau votre mot de passe."


def pass_at_sign_in(
    token: str, reference: str, typed: str, *, origin: str, now: datetime
) -> tuple[authentication.SignedIn, int]:
    """Complete a sign-in that waits for a code; return it, under a new token, and the number of the second factor.

    Raises `SignInOver`, `DomainError` on the field `code`, `TooManyCodes`.
    """
    with tenancy.platform_session("sign-in: a code is asked") as lookup:
        found = queries.find_awaiting_sign_in(lookup, token, now=now)
        if found is None:
            raise SignInOver
        kind, account_id = authentication.kind_of(found.account), found.account.id
    _compare(kind, account_id, typed, now=now)
    with platform_unit_of_work("sign-in: the code was right") as work:
        queries.lock_account(work.session, kind, account_id)
        found = queries.find_awaiting_sign_in(work.session, token, now=now)
        factor = queries.find_second_factor(work.session, found.account) if found else None
        if found is None or factor is None:
            raise SignInOver
        account = found.account
        actor = authentication.actor_for(account, origin)
        new = sign_ins.complete_sign_in(work.session, found.sign_in, account, by=actor, now=now)
        return authentication.SignedIn(new, authentication.owner_of(account), reference), factor.id


def check_code(principal: Principal, typed: str, *, now: datetime) -> None:
    """Return once a code of the person signed in is right. Raises `DomainError` on `code`, `TooManyCodes`."""
    _compare(principal.kind, principal.id, typed, now=now)


def _compare(kind: str, account_id: int, typed: str, *, now: datetime) -> None:
    owner = f"{kind}:{account_id}"
    counted = [throttle.repeated_counter(f"second-factor:{owner}")]
    try:
        with platform_unit_of_work("second factor: counting failures") as work:
            throttle.reserve_attempt(work.session, counted, now=now)
    except TooManyAttempts as refusal:
        raise TooManyCodes(timedelta(seconds=refusal.seconds)) from None
    with platform_unit_of_work("second factor: a code is compared") as work:
        factor: SecondFactor | None = queries.find_second_factor(
            work.session, queries.lock_account(work.session, kind, account_id)
        )
        is_right = factor is not None and second_factor.use_code(work.session, factor, typed, now=now)
        if is_right:
            throttle.forgive(work.session, counted)
    if not is_right:
        logger.warning("second factor refused: %s", owner)
        raise DomainError("Ce code n’est pas le bon, ou il a déjà servi. Attendez le suivant.", field="code")
