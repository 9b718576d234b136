"""One-time activation codes: 60 random bits, shown once, stored as an HMAC, usable once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cpro.core.printed_codes import generate_printed_code, group_printed_code, read_printed_code
from cpro.core.secrets import keyed_hash, keyed_hashes
from cpro.users import queries
from cpro.users.errors import CodeExpired
from cpro.users.models import Account, PlatformAccount
from cpro.users.sign_in_models import ActivationCode

VALIDITY = timedelta(days=30)
#: A code requested by e-mail for a forgotten password is read at once.
FORGOTTEN_VALIDITY = timedelta(hours=1)
#: An inspector's invitation.
INVITATION_VALIDITY = timedelta(days=7)

_LENGTH = 12  # × 5 bits
_PURPOSE = "activation-code"


def create_code(session: Session, account: queries.AnyAccount, *, now: datetime) -> str:
    """Store a new code of an account, void its earlier unused ones, and return it as « ABCD-EFGH-JKMN ».

    Only its HMAC is stored: the caller shows the code once.
    """
    for earlier in queries.list_unspent_codes(session, account):
        earlier.spent_at = now
    return _create(session, account, now=now, validity=VALIDITY)


def create_forgotten_code(session: Session, account: queries.AnyAccount, *, now: datetime) -> str:
    """Store a one-hour code for a forgotten password, and return it.

    It leaves the earlier codes valid: anyone may ask for one, and could void printed sheets otherwise.
    """
    return _create(session, account, now=now, validity=FORGOTTEN_VALIDITY)


def create_invitation_code(session: Session, account: PlatformAccount, *, now: datetime) -> str:
    """Store a seven-day code for an inspector who has no password yet, and return it.

    It leaves the earlier codes valid: two schools may invite the same person in the same week, and neither may void the
    other's message.
    """
    return _create(session, account, now=now, validity=INVITATION_VALIDITY)


def _create(session: Session, account: queries.AnyAccount, *, now: datetime, validity: timedelta) -> str:
    code = generate_printed_code(_LENGTH)
    row = ActivationCode(code_hmac=_hmac(code), created_at=now, expires_at=now + validity)
    if isinstance(account, PlatformAccount):
        row.platform_account_id = account.id
    else:
        row.account_id, row.establishment_id = account.id, account.establishment_id
    session.add(row)
    session.flush()
    return group_printed_code(code)


def generate_codes(account_ids: Sequence[int]) -> dict[int, str]:
    """Return a new code for each account, {account id: code}; none is valid before `store_codes`."""
    return {account_id: group_printed_code(generate_printed_code(_LENGTH)) for account_id in account_ids}


def store_codes(session: Session, accounts: Sequence[Account], codes: Mapping[int, str], *, now: datetime) -> None:
    """Store generated codes of accounts of a school, and void their earlier unused ones."""
    void_codes(session, [account.id for account in accounts], now=now)
    session.add_all(
        ActivationCode(
            establishment_id=account.establishment_id,
            account_id=account.id,
            code_hmac=_hmac(read_printed_code(codes[account.id])),
            created_at=now,
            expires_at=now + VALIDITY,
        )
        for account in accounts
    )
    session.flush()


def count_printed_codes(session: Session, account_ids: Sequence[int], *, now: datetime) -> int:
    """Return how many of these accounts have a printed code that is still valid."""
    return len(list_printed_until(session, account_ids, now=now))


def list_printed_until(session: Session, account_ids: Sequence[int], *, now: datetime) -> dict[int | None, datetime]:
    """Return until when the printed codes of these accounts that are still valid are so, by account.

    Those that answer « Mot de passe oublié » are left out.
    """
    live = select(ActivationCode.account_id, ActivationCode.created_at, ActivationCode.expires_at).where(
        ActivationCode.account_id.in_(account_ids), ActivationCode.spent_at.is_(None), ActivationCode.expires_at > now
    )
    rows = session.execute(live)
    return {account_id: expires for account_id, created, expires in rows if expires - created > FORGOTTEN_VALIDITY}


def count_good_codes(session: Session, account_ids: Sequence[int], *, now: datetime) -> int:
    """Return how many codes of these accounts are usable now, printed or mailed."""
    good = select(func.count(ActivationCode.id)).where(
        ActivationCode.account_id.in_(account_ids), ActivationCode.spent_at.is_(None), ActivationCode.expires_at > now
    )
    return session.scalar(good) or 0


def void_codes(session: Session, account_ids: Sequence[int], *, now: datetime) -> None:
    """Void the unused codes of accounts of a school."""
    session.execute(
        update(ActivationCode)
        .where(ActivationCode.account_id.in_(account_ids), ActivationCode.spent_at.is_(None))
        .values(spent_at=now)
    )


def find_code(session: Session, account: queries.AnyAccount, typed: str, *, now: datetime) -> ActivationCode | None:
    """Return the unspent code of an account that matches the typed one, or None.

    Raises `CodeExpired` if it matches but has expired.
    """
    code = queries.find_live_code(session, account, keyed_hashes(_PURPOSE, read_printed_code(typed)))
    if code is not None and code.expires_at <= now:
        raise CodeExpired
    return code


def _hmac(code: str) -> str:
    return keyed_hash(_PURPOSE, code)
