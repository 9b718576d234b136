"""Require the password again, before an action that must not be possible in an unattended browser.

As at sign-in, the failure is counted first and committed, the slow comparison runs without any lock, and success
reverts the count. These failures are counted separately from those of the sign-in page, which strangers can cause.
"""

from __future__ import annotations

import logging
from datetime import datetime

from cpro.core import tenancy
from cpro.core.errors import DomainError
from cpro.core.passwords import VERIFYING, verify_password
from cpro.core.permissions import Principal
from cpro.core.transactions import platform_unit_of_work
from cpro.users import queries
from cpro.users.operations import throttle

logger = logging.getLogger(__name__)

#: The field of every form that requires the password again.
FIELD = "current_password"


@VERIFYING.take()
def check_password(principal: Principal, typed: str, *, now: datetime) -> str | None:
    """Check the typed password of the signed-in person, outside any unit of work.

    Return the hash it was compared with: an action that changes the password checks that it is still the current one.
    Raises `DomainError` on the field `current_password`, `TooManyAttempts`, `Overloaded`.
    """
    throttles = [throttle.repeated_throttle(f"{principal.kind}:{principal.id}")]
    with platform_unit_of_work("password asked again: counting failures") as work:
        throttle.reserve_attempt(work.session, throttles, now=now)
    with tenancy.platform_session("password asked again") as lookup:
        password_hash = queries.get_account(lookup, principal.kind, principal.id).password_hash
    if not verify_password(password_hash, typed):
        logger.warning("password asked again and refused: %s:%s", principal.kind, principal.id)
        raise DomainError("Le mot de passe n’est pas le bon.", field=FIELD)
    with platform_unit_of_work("password asked again: it was right") as work:
        throttle.release_attempt(work.session, throttles)
    return password_hash
