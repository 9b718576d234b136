"""Record in the journal what the support looked up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.permissions import Actor
from cpro.core.shown_errors.models import ShownError


def record_look_up(session: Session, found: ShownError, *, by: Actor, now: datetime) -> None:
    """Record that an error page was looked up, in the journal of its school, or of the platform."""
    record(
        "error:looked-up",
        About("shown_error", found.number, found.number),
        by=by,
        now=now,
        establishment_id=found.school_id,
        session=session,
    )
