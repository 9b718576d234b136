"""Slow down guessing, without locking out those who know their password.

Failures are counted in the database, per account (existing or not) and per address, and forgotten one by one; from the
fifth on an account waits longer after each, from the tenth a quarter of an hour. A whole school shares one address:
an address never waits, whatever fails behind it. Once forty failures are not forgotten, it only leaves an account no
failure for free, so that the right password still passes where it is typed first. A browser that once signed in to the
account carries a mark (the « device cookie » of OWASP): it is counted apart, so that strangers' failures never keep the
owner out; ten failures of its own and it is a stranger again.

Every comparison of a password or a code counts here first: tests/users/test_throttle_everywhere.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cpro.core.secrets import keyed_hash
from cpro.core.transactions import after_commit, platform_unit_of_work
from cpro.core.validators import trim
from cpro.establishments.models import Establishment
from cpro.users.errors import TooManyAttempts
from cpro.users.models import FailureCounter, PlatformAccount
from cpro.users.queries import AnyAccount

#: Without any failure for so long, all are forgotten.
MEMORY = timedelta(hours=3)
BLOCK = timedelta(minutes=15)
FIRST_DELAY = timedelta(seconds=5)
ACCOUNT_FREE, ACCOUNT_BLOCK = 4, 10
ADDRESS_FREE, ADDRESS_MOST = 39, 100
DEVICE_TRUST = 10
#: How long until one more failure is forgotten: of an account as slowly as a blocked one is tried again.
_FORGETS, _ADDRESS_FORGETS = BLOCK, timedelta(minutes=1)


@dataclass(frozen=True)
class Counted:
    """One thing whose failures are counted: the first `free` cost nothing, from `most` on the wait is longest."""

    key: str
    free: int
    #: no more are counted than these
    most: int
    forgets: timedelta = _FORGETS
    #: by many people: it makes nobody wait by itself, but leaves what is counted with it no failure for free
    is_shared: bool = False

    def wait_after(self, failures: int, *, free: int) -> timedelta:
        """Return how long to wait after that many failures: 5, 10, 20… seconds, then a quarter of an hour."""
        if failures <= free or self.is_shared:
            return timedelta()
        if failures >= self.most:
            return BLOCK
        return min(FIRST_DELAY * (1 << min(failures - free - 1, 10)), BLOCK)

    def remember(self, counter: FailureCounter, now: datetime) -> float:
        """Return how many failures are not forgotten; a last one in a future is one of now: the clock was set back."""
        since = max(now - counter.last_failure_at, timedelta())
        return 0.0 if since > MEMORY else max(counter.failures - since / self.forgets, 0.0)


def account_counter(establishment: str, login: str) -> Counted:
    """Return the counter of an account, whether it exists or not."""
    named = f"account:{trim(establishment).lower()}:{trim(login).lower()}"
    return Counted(keyed_hash("failures", named), ACCOUNT_FREE, ACCOUNT_BLOCK)


def address_counter(address: str) -> Counted:
    """Return the counter of a network address."""
    return Counted(
        keyed_hash("failures", f"address:{address}"), ADDRESS_FREE, ADDRESS_MOST, _ADDRESS_FORGETS, is_shared=True
    )


def repeated_counter(owner: str) -> Counted:
    """Return the counter of passwords asked for again of a person signed in; `owner` is "account:12"."""
    return Counted(keyed_hash("failures", f"again:{owner}"), ACCOUNT_FREE, ACCOUNT_BLOCK)


def code_counter(owner: str, *, is_known: bool) -> Counted:
    """Return the counter of the codes of a second factor; `owner` is "account:12".

    A thief of the password types from a browser that was never signed in to the account. Codes typed in a browser that
    `is_known`, or signed in, are counted apart: the owner does not wait because of a stranger's failures.
    """
    where = "" if is_known else ":stranger"
    return repeated_counter(f"second-factor:{owner}{where}")


def device_counter(mark: str) -> Counted:
    """Return the counter of a browser known to the account; it never waits."""
    return Counted(keyed_hash("failures", f"device:{mark}"), DEVICE_TRUST, DEVICE_TRUST + 1)


def is_trusted(session: Session, device: Counted, *, now: datetime) -> bool:
    """Return whether a known browser has not spent its own failures."""
    counter = session.get(FailureCounter, device.key)
    return counter is None or device.remember(counter, now) <= DEVICE_TRUST - 1


def reserve_attempt(session: Session, counted: Sequence[Counted], *, now: datetime) -> list[int]:
    """Count a failure in advance, so that parallel guesses cannot all pass before the first is counted.

    Return how many failures each counter then holds, this one included. Raises `TooManyAttempts` when one of the
    counters asks to wait; nothing is counted once the caller rolls back.
    """
    rows = {}
    for each in sorted(counted, key=lambda one: one.key):  # one order, so that two sign-ins cannot wait for each other
        rows[each.key] = _lock_counter(session, each.key, now=now)
    remembered = {each.key: each.remember(rows[each.key], now) for each in counted}
    is_spent = any(each.is_shared and remembered[each.key] > each.free for each in counted)
    waits = []
    for each in counted:
        row = rows[each.key]
        # As many as at the last failure: those forgotten since do not shorten the wait.
        delay = each.wait_after(ceil(row.failures), free=0 if is_spent else each.free)
        if delay:  # without one, a failure of this very moment must not make its neighbours wait
            waits.append(min(row.last_failure_at, now) + delay - now)
        row.failures, row.last_failure_at = min(remembered[each.key] + 1, each.most), now
    if waits and max(waits) > timedelta():
        raise TooManyAttempts(max(waits))  # the caller's transaction takes back what was counted
    session.flush()
    return [ceil(rows[each.key].failures) for each in counted]


def release_attempt(session: Session, counted: Sequence[Counted]) -> None:
    """Take back what `reserve_attempt` counted: the account starts afresh, the address loses this one only."""
    for each in sorted(counted, key=lambda one: one.key):  # the order of `reserve_attempt`
        row = session.get(FailureCounter, each.key, with_for_update=True)
        if row is None:
            continue
        if each.is_shared and row.failures > 1:
            row.failures -= 1
        else:
            session.delete(row)
    session.flush()


def forget_failures(session: Session, account: AnyAccount) -> None:
    """Forget, once the unit of work is committed, the failures of an account that is reset; those of addresses stay.

    Not within it: no school writes counters.
    """
    if isinstance(account, PlatformAccount):
        school, kind = "", "platform"
    else:
        school, kind = session.get_one(Establishment, account.establishment_id).code, "account"
    owner = f"{kind}:{account.id}"
    counters = [
        account_counter(school, account.login),
        repeated_counter(owner),
        *(code_counter(owner, is_known=is_known) for is_known in (True, False)),
    ]
    after_commit(session, partial(_delete_counters, [each.key for each in counters]))


def _delete_counters(keys: Sequence[str]) -> None:
    with platform_unit_of_work("an account is reset: its failures are forgotten") as work:
        work.session.execute(delete(FailureCounter).where(FailureCounter.key.in_(keys)))


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete the counters nobody needs any more."""
    session.execute(delete(FailureCounter).where(FailureCounter.last_failure_at < now - MEMORY))


def count_failing(session: Session, *, since: datetime) -> tuple[int, int]:
    """Return how many counters failed after an instant, and how many of them `ACCOUNT_BLOCK` times or more."""
    failing = select(func.count()).where(FailureCounter.last_failure_at > since)
    blocked = failing.where(FailureCounter.failures >= ACCOUNT_BLOCK)
    return session.scalar(failing) or 0, session.scalar(blocked) or 0


def _lock_counter(session: Session, key: str, *, now: datetime) -> FailureCounter:
    """Return the counter of a key, created if need be, kept from other sign-ins until the commit.

    One statement: looking first and adding after would let two sign-ins add the same row.
    """
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    upsert = insert(FailureCounter).values(key=key, failures=0, last_failure_at=now)
    counter: FailureCounter = session.scalars(
        upsert.on_conflict_do_update(index_elements=["key"], set_={"key": key}).returning(FailureCounter),
        execution_options={"populate_existing": True},
    ).one()
    return counter
