"""The journal's single table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned
from cpro.core.types import UTCDateTime
from cpro.extensions import Model


class AuditEntry(Owned, Model):
    """One gesture, told once; append-only, by triggers of the database as well."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_establishment_id_at", "establishment_id", "at", "id"),
        Index("ix_audit_entry_object", "establishment_id", "object_type", "object_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the school concerned; empty for a gesture on the platform itself, which no school sees
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: "account", "platform", "system" or "anonymous"
    actor_kind: Mapped[str] = mapped_column(String(16))
    #: the account's id, without a foreign key: the line outlives the account
    actor_id: Mapped[int | None]
    #: the name as it was then
    actor_label: Mapped[str] = mapped_column(String(200))
    actor_role: Mapped[str] = mapped_column(String(40))
    #: an IP address, or the command line
    origin: Mapped[str] = mapped_column(String(64))
    #: grammar subject:verb or subject:part:verb, e.g. establishment:particulars:changed
    action: Mapped[str] = mapped_column(String(80))
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(64))
    object_label: Mapped[str] = mapped_column(String(200))
    #: {field: [old, new]}
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
