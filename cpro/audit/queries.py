"""Read the journal."""

from __future__ import annotations

from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.extensions import db


def find_last_entry(object_type: str, object_id: object, action: str) -> AuditEntry | None:
    """Return the latest line about an object and an action, or None."""
    return db.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.object_type == object_type,
            AuditEntry.object_id == str(object_id),
            AuditEntry.action == action,
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
