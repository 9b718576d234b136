"""Decide which accounts need a second factor, from when, and on which browsers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from cpro.config import CODE_HOLDS, TRUSTED_DEVICE_LIFE
from cpro.core.parsing import read_integer
from cpro.extensions import application
from cpro.users import queries
from cpro.users.sign_in_models import SecondFactor

#: How long people may go on without one after they were first asked (`CPRO_SECOND_FACTOR=grace`).
GRACE = timedelta(days=14)
#: The origin of the instants stored by browsers, in seconds; none is beyond the year 2200.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = 230 * 366 * 24 * 3600


def find_policy(session: Session) -> str:
    """Return « off », « grace » or « required »; by default, demonstration data requires none."""
    return application.second_factor or ("off" if queries.is_demonstration(session) else "grace")


def note_asked(session: Session, account: queries.AnyAccount, *, now: datetime) -> None:
    """Note the first sign-in at which an account is asked for a second factor."""
    if account.second_factor_since is None and is_asked(session, account):
        account.second_factor_since = now


def is_asked(session: Session, account: queries.AnyAccount) -> bool:
    """Return whether an account needs a second factor: those that act on other people's data."""
    return account.role.is_privileged and find_policy(session) != "off"


def find_due_date(session: Session, account: queries.AnyAccount) -> datetime | None:
    """Return when a missing second factor starts to block an account's pages, None if never or if it has one."""
    since = account.second_factor_since
    if since is None or not is_asked(session, account):
        return None
    factor = queries.find_second_factor(session, account)
    if factor is not None and factor.confirmed_at is not None:
        return None
    return since if find_policy(session) == "required" else since + GRACE


def must_set_now(session: Session, found: queries.OpenSignIn, *, now: datetime) -> bool:
    """Return whether a sign-in must set up a second factor before any other page; checked at each request.

    To avoid queries for most requests, what is already known is checked first; see `find_due_date`.
    """
    since = found.account.second_factor_since
    if since is None or found.has_second_factor:
        return False
    due = since if application.second_factor == "required" else since + GRACE
    return due <= now and is_asked(session, found.account)


def must_give_code(found: queries.OpenSignIn, *, now: datetime) -> bool:
    """Return whether a code is required again before the most sensitive actions; never without a second factor."""
    given_at = found.sign_in.code_given_at
    return found.has_second_factor and (given_at is None or not now - CODE_HOLDS < given_at <= now)


def find_trust_end(factor: SecondFactor | None, trusted: Mapping[str, str], *, now: datetime) -> datetime | None:
    """Return until when a browser is trusted for a second factor; None if it is not, or if none is in effect."""
    if factor is None or factor.confirmed_at is None:
        return None
    seconds = read_integer(trusted.get(str(factor.id), ""), largest=_FAR)
    if seconds is None:
        return None
    since = EPOCH + timedelta(seconds=seconds)
    is_trusted = max(factor.trusted_from, now - TRUSTED_DEVICE_LIFE) <= since <= now
    return since + TRUSTED_DEVICE_LIFE if is_trusted else None
