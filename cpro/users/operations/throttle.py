"""Slow down guessing, without locking out people who know their password.

Failures are counted in the database, per account (existing or not) and per address, and forgotten one by one; from the
fifth on an account waits longer after each, from the tenth a quarter of an hour. A whole school shares one address: an
address never waits, whatever fails behind it. From forty remembered failures on, it only deprives accounts of their
free failures, so that the right password still passes if it is typed first. A browser that once signed in to the
account has a mark (the « device cookie » of OWASP): it is counted separately, so that strangers' failures never lock
the owner out; after ten failures of its own it counts as a stranger again.

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
from cpro.users.models import PlatformAccount
from cpro.users.queries import AnyAccount
from cpro.users.sign_in_models import FailureCounter

#: After this long without any failure, all are forgotten.
MEMORY = timedelta(hours=3)
BLOCK = timedelta(minutes=15)
FIRST_DELAY = timedelta(seconds=5)
ACCOUNT_FREE, ACCOUNT_BLOCK = 4, 10
ADDRESS_FREE, ADDRESS_MOST = 39, 100
DEVICE_TRUST = 10
#: Time to forget one failure: for an account, the interval between attempts on a blocked one.
_FORGETS, _ADDRESS_FORGETS = BLOCK, timedelta(minutes=1)


@dataclass(frozen=True)
class Throttle:
    """The waits after failures: the first `free` ones cost nothing, from `most` on the wait is longest."""

    key: str
    free: int
    #: maximum number of failures counted
    most: int
    forgets: timedelta = _FORGETS
    #: shared by many people: it never waits itself, but removes the free failures of the counters counted with it
    is_shared: bool = False

    def wait_after(self, failures: int, *, free: int) -> timedelta:
        """Return the wait after that many failures: 5, 10, 20… seconds, then a quarter of an hour."""
        if failures <= free or self.is_shared:
            return timedelta()
        if failures >= self.most:
            return BLOCK
        return min(FIRST_DELAY * (1 << min(failures - free - 1, 10)), BLOCK)

    def remember(self, counter: FailureCounter, now: datetime) -> float:
        """Return the failures not yet forgotten; a last one in the future counts as now: the clock was set back."""
        since = max(now - counter.last_failure_at, timedelta())
        return 0.0 if since > MEMORY else max(counter.failures - since / self.forgets, 0.0)


def account_throttle(establishment: str, login: str) -> Throttle:
    """Return the throttle of an account, whether it exists or not."""
    named = f"account:{trim(establishment).lower()}:{trim(login).lower()}"
    return Throttle(keyed_hash("failures", named), ACCOUNT_FREE, ACCOUNT_BLOCK)


def address_throttle(address: str) -> Throttle:
    """Return the throttle of a network address."""
    return Throttle(
        keyed_hash("failures", f"address:{address}"), ADDRESS_FREE, ADDRESS_MOST, _ADDRESS_FORGETS, is_shared=True
    )


def repeated_throttle(owner: str) -> Throttle:
    """Return the throttle of passwords required again from a signed-in person; `owner` is "account:12"."""
    return Throttle(keyed_hash("failures", f"again:{owner}"), ACCOUNT_FREE, ACCOUNT_BLOCK)


def code_throttle(owner: str, *, is_known: bool) -> Throttle:
    """Return the throttle of the codes of a second factor; `owner` is "account:12".

    A thief of the password types from a browser that never signed in to the account. Codes typed in a browser that
    `is_known`, or signed in, are counted separately: the owner does not wait because of a stranger's failures.
    """
    where = "" if is_known else ":stranger"
    return repeated_throttle(f"second-factor:{owner}{where}")


def device_throttle(mark: str) -> Throttle:
    """Return the throttle of a browser known to the account; it never waits."""
    return Throttle(keyed_hash("failures", f"device:{mark}"), DEVICE_TRUST, DEVICE_TRUST + 1)


def is_trusted(session: Session, device: Throttle, *, now: datetime) -> bool:
    """Return whether a known browser has not used up its own failures."""
    counter = session.get(FailureCounter, device.key)
    return counter is None or device.remember(counter, now) <= DEVICE_TRUST - 1


def reserve_attempt(session: Session, throttles: Sequence[Throttle], *, now: datetime) -> list[int]:
    """Count a failure in advance, so that parallel guesses cannot all pass before the first is counted.

    Return the failures of each counter, including this one. Raises `TooManyAttempts` if one of the counters requires a
    wait; nothing is counted once the caller rolls back.
    """
    rows = {}
    for each in sorted(throttles, key=lambda one: one.key):  # a fixed order, to prevent deadlocks between two sign-ins
        rows[each.key] = _lock_counter(session, each.key, now=now)
    remembered = {each.key: each.remember(rows[each.key], now) for each in throttles}
    is_spent = any(each.is_shared and remembered[each.key] > each.free for each in throttles)
    waits = []
    for each in throttles:
        row = rows[each.key]
        # The count as of the last failure: those forgotten since do not shorten the wait.
        delay = each.wait_after(ceil(row.failures), free=0 if is_spent else each.free)
        if delay:  # without one, a failure at the same instant must not delay the other counters
            waits.append(min(row.last_failure_at, now) + delay - now)
        row.failures, row.last_failure_at = min(remembered[each.key] + 1, each.most), now
    if waits and max(waits) > timedelta():
        raise TooManyAttempts(max(waits))  # rolls the count back
    session.flush()
    return [ceil(rows[each.key].failures) for each in throttles]


def release_attempt(session: Session, throttles: Sequence[Throttle]) -> None:
    """Revert what `reserve_attempt` counted: the account's counter is reset, the address only loses this one."""
    for each in sorted(throttles, key=lambda one: one.key):  # the order of `reserve_attempt`
        row = session.get(FailureCounter, each.key, with_for_update=True)
        if row is None:
            continue
        if each.is_shared and row.failures > 1:
            row.failures -= 1
        else:
            session.delete(row)
    session.flush()


def forget_failures(session: Session, account: AnyAccount) -> None:
    """Forget, after the commit, the failures of an account that is reset; those of addresses remain.

    Not in the same transaction: schools cannot write counters.
    """
    if isinstance(account, PlatformAccount):
        school, kind = "", "platform"
    else:
        school, kind = session.get_one(Establishment, account.establishment_id).code, "account"
    owner = f"{kind}:{account.id}"
    counters = [
        account_throttle(school, account.login),
        repeated_throttle(owner),
        *(code_throttle(owner, is_known=is_known) for is_known in (True, False)),
    ]
    after_commit(session, partial(_delete_counters, [each.key for each in counters]))


def _delete_counters(keys: Sequence[str]) -> None:
    with platform_unit_of_work("an account is reset: its failures are forgotten") as work:
        work.session.execute(delete(FailureCounter).where(FailureCounter.key.in_(keys)))


def forget_old(session: Session, *, now: datetime) -> None:
    """Delete the counters that are no longer needed."""
    session.execute(delete(FailureCounter).where(FailureCounter.last_failure_at < now - MEMORY))


def count_failing(session: Session, *, since: datetime) -> tuple[int, int]:
    """Return how many counters failed after an instant, and how many of them `ACCOUNT_BLOCK` times or more."""
    failing = select(func.count()).where(FailureCounter.last_failure_at > since)
    blocked = failing.where(FailureCounter.failures >= ACCOUNT_BLOCK)
    return session.scalar(failing) or 0, session.scalar(blocked) or 0


def _lock_counter(session: Session, key: str, *, now: datetime) -> FailureCounter:
    """Return the counter of a key, created if needed, locked until the commit.

    One statement: a separate lookup would let two sign-ins insert the same row.
    """
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    upsert = insert(FailureCounter).values(key=key, failures=0, last_failure_at=now)
    counter: FailureCounter = session.scalars(
        upsert.on_conflict_do_update(index_elements=["key"], set_={"key": key}).returning(FailureCounter),
        execution_options={"populate_existing": True},
    ).one()
    return counter
