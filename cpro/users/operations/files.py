"""What an uploaded file may do to accounts: open some, correct teachers, close theirs; never give a code.

An import calls it under the lock of the school, whatever its analysis found: rules may have changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cpro.core.permissions import Permission, Role
from cpro.extensions import db
from cpro.users import roles
from cpro.users.models import Account
from cpro.users.operations import codes, rules
from cpro.users.operations.sign_ins import end_sign_ins_of


def may_open(role: Role) -> bool:
    """Return whether files open accounts of a staff role: teachers, and heads, whose code is never in a file."""
    return role.can(Permission.PUPILS_EVALUATE) or role.can(Permission.USERS_CONSENT)


def may_correct(account: Account) -> bool:
    """Return whether files may correct, close or reactivate an account: only a teacher's."""
    return account.can(Permission.PUPILS_EVALUATE)


def open_account(
    values: Mapping[str, Any], role: Role, *, login: str, key: str | None, is_typed: bool, now: datetime
) -> Account:
    """Return a new account for a person of a file, without a code, for the caller to add.

    `key` identifies the person in the file. An account that `is_typed` comes from a table, which a person may have
    written: it waits for consent and is shown to the head, like one created by hand. Raises `ConsentImpossible`.
    """
    return Account(
        **{
            **values,
            "role": role,
            "login": login,
            "sts_key": key,
            "consent_needed": rules.needs_consent(role, by_export=not is_typed),
            "unseen_by_head": role.can(Permission.PUPILS_EVALUATE) and is_typed,
            "created_at": now,
        }
    )


def require_new_consent(account: Account, *, is_typed: bool) -> None:
    """Withdraw the consent of a teacher reactivated by a file, if the head requires consent to teachers."""
    if rules.needs_consent(roles.TEACHER, by_export=not is_typed):
        account.consent_needed, account.consented_at = True, None


def close_accounts(account_ids: Sequence[int], *, now: datetime) -> None:
    """Void the codes and end the sign-ins of accounts closed by a file."""
    if account_ids:
        codes.void_codes(db.session(), account_ids, now=now)
        end_sign_ins_of(db.session(), account_ids)
