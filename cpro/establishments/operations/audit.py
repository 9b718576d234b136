"""Audit lines of the actions on a school."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.permissions import Actor
from cpro.establishments.models import Establishment


def record_about_school(
    action: str,
    establishment: Establishment,
    changes: Mapping[str, tuple[Any, Any]],
    *,
    by: Actor,
    now: datetime,
    session: Session | None = None,
) -> None:
    """Record an action on a school; `session` when it is not the current one, as on the platform."""
    record(
        action,
        About("establishment", establishment.id, establishment.name or establishment.code),
        by=by,
        now=now,
        changes=changes,
        establishment_id=establishment.id if session is not None else None,
        session=session,
    )
