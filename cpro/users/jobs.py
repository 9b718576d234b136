"""The nightly work on accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from cpro.core import tenancy
from cpro.core.formatting import plural
from cpro.core.jobs.context import JobContext
from cpro.core.jobs.handlers import nightly
from cpro.core.transactions import platform_unit_of_work
from cpro.users.models import Account, AddressChange, AddressState
from cpro.users.operations.addresses import SILENCE, apply_silence
from cpro.users.queries import lock_account


def _describe_result(counts: Mapping[str, Any]) -> str:
    return f"{plural(counts.get('counted', 0), 'adresse compte désormais', 'adresses comptent désormais')}."


@nightly("users:addresses", label="Adresses changées il y a sept jours", summary=_describe_result)
def apply_silences(context: JobContext) -> dict[str, int]:
    """Apply changed addresses that met no objection, and delete the closed changes whose link expired.

    Each change is also applied when its state is first needed; at night, the message that announced it still exists to
    show whether a server accepted it.
    """
    counted = 0
    with tenancy.platform_session(context.reason) as session:
        waiting = select(AddressChange.account_id).where(
            AddressChange.state == AddressState.WAITING,
            AddressChange.account_id.is_not(None),
            AddressChange.created_at <= context.now - SILENCE,
        )
        account_ids = [each for each in session.scalars(waiting) if each is not None]
    for account_id in account_ids:
        with platform_unit_of_work(context.reason) as work:
            account = lock_account(work.session, "account", account_id)
            counted += isinstance(account, Account) and apply_silence(work.session, account, now=context.now)
    with platform_unit_of_work(context.reason) as work:
        work.session.execute(
            delete(AddressChange).where(
                AddressChange.state != AddressState.WAITING, AddressChange.expires_at <= context.now
            )
        )
    return {"counted": counted}
