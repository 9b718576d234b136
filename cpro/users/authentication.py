"""Sign-in and activation: the actions that take several transactions.

The failure is counted first and committed, the slow comparison runs without any lock, and success reverts the count:
guesses sent in parallel are all counted, and a slow hash never locks the database.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from cpro.core import tenancy
from cpro.core.errors import DomainError
from cpro.core.passwords import VERIFYING, verify_password
from cpro.core.permissions import Actor
from cpro.core.secrets import keyed_hashes
from cpro.core.transactions import platform_unit_of_work
from cpro.core.validators import trim
from cpro.users import queries, second_factor_policy
from cpro.users.emergency.queries import is_shut_out
from cpro.users.errors import AccountDisabled, CodeRefused, RoleClosed, SignInRefused
from cpro.users.models import Account
from cpro.users.operations import codes, sign_ins, throttle
from cpro.users.operations.audit import record_about

logger = logging.getLogger(__name__)

#: The failure counts at which an account starts to wait a few seconds, then a quarter of an hour.
_REPORTED_FAILURES = (throttle.ACCOUNT_FREE + 1, throttle.ACCOUNT_BLOCK)


@dataclass(frozen=True)
class Attempt:
    """What was typed to sign in or to activate an account, and its origin."""

    #: the school's code if the school exists (see `canonical_school`), so that each school has one counter
    establishment: str
    login: str
    #: the password, or the code
    secret: str
    #: the network address
    address: str
    #: the browser's description
    device: str
    #: the marks of accounts known to this browser: {account reference: mark}
    devices: dict[str, str]
    #: when this browser was trusted, for each second factor: {id: seconds}
    trusted: dict[str, str]

    @property
    def reference(self) -> str:
        """Return the account's name in the browser's cookie; it reveals nothing, whether the account exists or not."""
        return self._references[0]

    @property
    def mark(self) -> str | None:
        """Return this browser's mark for the account, under its current reference or one derived from a former key."""
        return next((self.devices[each] for each in self._references if each in self.devices), None)

    @property
    def _references(self) -> list[str]:
        named = f"{trim(self.establishment).lower()}:{trim(self.login).lower()}"
        return [each[:16] for each in keyed_hashes("device-reference", named)]


@dataclass(frozen=True)
class SignedIn:
    """A signed-in browser: its token, the owner of its parked forms, the account's reference for its mark."""

    token: str
    owner: str
    reference: str
    #: whether the code of the second factor is still required
    awaits_code: bool = False


@dataclass(frozen=True)
class Reserved:
    """A failure counted in advance: its throttles, and the account's number of failures (0 for a known browser)."""

    throttles: list[throttle.Throttle]
    failures: int


@dataclass(frozen=True)
class CodeTyped:
    """The right activation code was typed as a password: the activation page comes next."""


def canonical_school(code_or_uai: str) -> str:
    """Return the code of a school given by its code or UAI, or the text itself if there is no such school."""
    with tenancy.platform_session("sign-in: the school is not known yet") as session:
        found = queries.find_establishment(session, code_or_uai) if trim(code_or_uai) else None
        return found.code if found else code_or_uai


@VERIFYING.take()
def sign_in(attempt: Attempt, *, now: datetime) -> SignedIn | CodeTyped:
    """Sign in, or report that an activation code was typed instead of a password.

    Raises `SignInRefused`, `TooManyAttempts`, `Overloaded`, and after a right password or code `AccountDisabled`,
    `RoleClosed` or `CodeExpired`.
    """
    reserved = _reserve(attempt, now=now)
    with tenancy.platform_session("sign-in: the school is not known yet") as session:
        account = queries.find_account(session, attempt.establishment, attempt.login)
        password_is_right = verify_password(account.password_hash if account else None, attempt.secret)
        if account is None or not password_is_right:
            return _read_as_code(attempt, account, reserved, now=now)
        kind, account_id, compared = kind_of(account), account.id, account.password_hash
    with platform_unit_of_work("sign-in") as work:
        account = queries.lock_account(work.session, kind, account_id)
        throttle.release_attempt(work.session, reserved.throttles)
        if account.password_hash != compared and not verify_password(account.password_hash, attempt.secret):
            raise SignInRefused  # changed in another window meanwhile: the failure remains counted
        refusal = _find_refusal(work.session, account)
        if refusal is None:
            signed_in = _open(work.session, attempt, account, password=attempt.secret, now=now)
    if refusal:
        raise refusal
    return signed_in


def activate(attempt: Attempt, password: str, *, now: datetime) -> SignedIn:
    """Choose a password with a one-time code, and sign in.

    Raises `CodeRefused`, `TooManyAttempts`, and after a right code `CodeExpired`, `AccountDisabled`, `RoleClosed` or
    `WeakPassword`; the code then remains valid.
    """
    reserved = _reserve(attempt, now=now)
    with platform_unit_of_work("activation: the school is not known yet") as work:
        account = queries.find_account(work.session, attempt.establishment, attempt.login)
        code = codes.find_code(work.session, account, attempt.secret, now=now) if account else None
        if account is None or code is None:
            refused = True
            _log_failure("activation", account)
            _record_block(work.session, attempt, account, reserved, now=now)
        else:
            refused = False
            kind, account_id = kind_of(account), account.id
    if refused:
        raise CodeRefused
    # The code was right: the failure counted in advance is reverted, even if a later step is refused.
    with platform_unit_of_work("activation") as work:
        throttle.release_attempt(work.session, reserved.throttles)
    with platform_unit_of_work("activation") as work:
        account = queries.lock_account(work.session, kind, account_id)
        if refusal := _find_refusal(work.session, account):
            raise refusal
        if codes.find_code(work.session, account, attempt.secret, now=now) is None:
            raise CodeRefused  # used in another window meanwhile
        actor = actor_for(account, attempt.address)
        sign_ins.choose_password(work.session, account, password=password, by=actor, now=now)
        return _open(work.session, attempt, account, password=password, now=now)


def _open(session: Session, attempt: Attempt, account: queries.AnyAccount, *, password: str, now: datetime) -> SignedIn:
    factor = queries.find_second_factor(session, account)
    trusted_until = second_factor_policy.find_trust_end(factor, attempt.trusted, now=now)
    awaits_code = factor is not None and factor.confirmed_at is not None and trusted_until is None
    token = sign_ins.open_sign_in(
        session,
        account,
        password=password,
        by=actor_for(account, attempt.address),
        now=now,
        device=attempt.device,
        awaits_code=awaits_code,
        trusted_until=trusted_until,
    )
    return SignedIn(token, owner_of(account), attempt.reference, awaits_code)


def _find_refusal(session: Session, account: queries.AnyAccount) -> DomainError | None:
    """Return why the account cannot be opened now, even with the right password or code, or None."""
    if not account.may_sign_in:
        return AccountDisabled()
    if is_shut_out(session, account):
        logger.warning("sign-in refused, the role is closed: %s", owner_of(account))
        return RoleClosed(account.role)
    return None


def actor_for(account: queries.AnyAccount, origin: str) -> Actor:
    """Return the account as an actor of the journal."""
    return Actor(kind_of(account), account.id, account.label, account.role.value, origin)


def kind_of(account: queries.AnyAccount) -> Literal["account", "platform"]:
    """Return "account" for a school's account, "platform" otherwise."""
    return "account" if isinstance(account, Account) else "platform"


def owner_of(account: queries.AnyAccount) -> str:
    """Return the key of the account as the owner of a parked form."""
    return f"{kind_of(account)}:{account.id}"


def _read_as_code(
    attempt: Attempt, account: queries.AnyAccount | None, reserved: Reserved, *, now: datetime
) -> CodeTyped:
    with platform_unit_of_work("sign-in: a code typed as a password") as work:
        is_code = account is not None and codes.find_code(work.session, account, attempt.secret, now=now) is not None
        if is_code:
            throttle.release_attempt(work.session, reserved.throttles)
        else:
            _log_failure("sign-in", account)
            _record_block(work.session, attempt, account, reserved, now=now)
    if not is_code:
        raise SignInRefused
    return CodeTyped()


def _log_failure(what: str, account: queries.AnyAccount | None) -> None:
    """Log that a password or a code was wrong: for which account, without anything that was typed."""
    logger.warning("%s refused: %s", what, owner_of(account) if account else "no such account")


def _record_block(
    session: Session, attempt: Attempt, account: queries.AnyAccount | None, reserved: Reserved, *, now: datetime
) -> None:
    """Record that an account has to wait: at the failures that start a block, not at each."""
    if account is not None and reserved.failures in _REPORTED_FAILURES:
        stranger = Actor("anonymous", None, "Personne non connectée", "anonymous", attempt.address)
        record_about(
            session,
            "account:sign-in-refused",
            account,
            by=stranger,
            now=now,
            changes={"failures": (None, reserved.failures)},
        )


def _reserve(attempt: Attempt, *, now: datetime) -> Reserved:
    """Count a failure in advance on the throttles that apply to the attempt, and return them."""
    with platform_unit_of_work("sign-in: counting failures") as work:
        throttle.forget_old(work.session, now=now)
        device = throttle.device_throttle(f"{attempt.reference}:{attempt.mark}") if attempt.mark else None
        if device and throttle.is_trusted(work.session, device, now=now):
            throttles = [device]
        else:
            throttles = [
                throttle.account_throttle(attempt.establishment, attempt.login),
                throttle.address_throttle(attempt.address),
            ]
        failures = throttle.reserve_attempt(work.session, throttles, now=now)
    return Reserved(throttles, 0 if throttles == [device] else failures[0])
