"""One-time activation codes: 60 random bits, shown once, kept as an HMAC, good for one use."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cpro.core.secrets import keyed_hash
from cpro.users import queries
from cpro.users.errors import CodeExpired
from cpro.users.models import ActivationCode, PlatformAccount

VALIDITY = timedelta(days=30)
#: A code asked for by e-mail replaces a forgotten password: it is read at once.
FORGOTTEN_VALIDITY = timedelta(hours=1)

#: Crockford's base 32: no I, L, O, U, which people misread.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None, "\u00a0": None, "\u202f": None})
_LENGTH = 12  # × 5 bits


def draw_code(session: Session, account: queries.AnyAccount, *, now: datetime, validity: timedelta = VALIDITY) -> str:
    """Return a new code, as « ABCD-EFGH-JKMN », and void the earlier unused ones of the account.

    The code exists nowhere else: who calls shows it once.
    """
    for earlier in queries.list_unspent_codes(session, account):
        earlier.spent_at = now
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    drawn = ActivationCode(code_hmac=_hmac(code), created_at=now, expires_at=now + validity)
    if isinstance(account, PlatformAccount):
        drawn.platform_account_id = account.id
    else:
        drawn.account_id = account.id
    session.add(drawn)
    session.flush()
    return "-".join(code[start : start + 4] for start in range(0, _LENGTH, 4))


def find_code(session: Session, account: queries.AnyAccount, typed: str, *, now: datetime) -> ActivationCode | None:
    """Return the unspent code of an account that was typed, or None.

    Raises `CodeExpired` when the code is the right one and too old.
    """
    code = queries.find_live_code(session, account, _hmac(typed.upper().translate(_MISREAD)))
    if code is not None and code.expires_at <= now:
        raise CodeExpired
    return code


def _hmac(code: str) -> str:
    return keyed_hash("activation-code", code)
