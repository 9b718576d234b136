"""Audit lines of the actions on accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.permissions import Actor
from cpro.users.models import Account
from cpro.users.queries import AnyAccount


def record_about(
    session: Session,
    action: str,
    account: AnyAccount,
    *,
    by: Actor,
    now: datetime,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Record an action on an account in the journal of its school, or of the platform."""
    is_of_school = isinstance(account, Account)
    record(
        action,
        About("account" if is_of_school else "platform_account", account.id, account.label),
        by=by,
        now=now,
        changes=changes,
        establishment_id=account.establishment_id if isinstance(account, Account) else None,
        session=session,
    )
