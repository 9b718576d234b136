"""The journal's lines, and the head of each chain of lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_, event
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.permissions import Permission, Role, roles_with
from cpro.core.search import Searched
from cpro.core.shown import Filter, shown
from cpro.core.tenancy import Confidential, Owned
from cpro.core.types import UTCDateTime
from cpro.core.validators import fold
from cpro.extensions import Model


class AuditEntry(Owned, Confidential, Searched, Model):
    """One audited action; append-only, enforced by database triggers as well."""

    __tablename__ = "audit_entry"
    latest_first = True
    confidential_to = Permission.MANDATES_VIEW
    __table_args__ = (
        # One per filter offered, each ending with the sort key; the second one also serves index-only counts.
        Index("ix_audit_entry_establishment_id", "establishment_id", "id"),
        Index("ix_audit_entry_at", "establishment_id", "at", "action"),
        Index("ix_audit_entry_object_type", "establishment_id", "object_type", "id"),
        Index("ix_audit_entry_object", "establishment_id", "object_type", "object_id", "id"),
        Index("ix_audit_entry_action", "establishment_id", "action", "id"),
        Index("ix_audit_entry_actor", "establishment_id", "actor_kind", "actor_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the school concerned; empty for an action on the platform itself, which no school sees
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    at: Mapped[datetime] = mapped_column(
        UTCDateTime,
        # Lines are written in the order of their ids, and every index of a filter ends with the id.
        info=shown("Date", sort="id", filters=[Filter("du", "Du", day="from"), Filter("au", "Au", day="until")]),
    )
    #: "account", "platform", "system" or "anonymous"
    actor_kind: Mapped[str] = mapped_column(String(16))
    #: the account's id, without a foreign key: the line outlives the account
    actor_id: Mapped[int | None]
    #: the name at the time of the action
    actor_label: Mapped[str] = mapped_column(String(200))
    actor_role: Mapped[str] = mapped_column(String(40))
    #: an IP address, or the command line
    origin: Mapped[str] = mapped_column(String(64), info=shown("D’où", in_list=False))
    #: grammar subject:verb or subject:part:verb, e.g. establishment:particulars:changed
    action: Mapped[str] = mapped_column(String(80))
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(64))
    object_label: Mapped[str] = mapped_column(String(200))
    #: the person and the object, folded, for searches; derived, so not part of the digest
    search_key: Mapped[str] = mapped_column(String(450), default="", server_default="")
    #: {field: [old, new]}
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: rank in the chain of its school (or of the platform): 1, 2, 3… without a gap
    number: Mapped[int] = mapped_column(default=0)
    #: keyed digest of this line and of the digest of the line before it (audit/chain.py)
    digest: Mapped[str] = mapped_column(String(64), default="")

    @classmethod
    def is_by(cls, permission: Permission) -> ColumnElement[bool]:
        """Return the condition selecting lines of actors whose role has a right, such as that to enter schools."""
        return cls.actor_role.in_([role.value for role in roles_with(permission)])

    @classmethod
    def is_not_confidential(cls) -> ColumnElement[bool]:
        """Return the condition selecting lines that neither are about a mandate nor have an inspector as actor."""
        inspectors = [role.value for role in Role if role.can(Permission.MANDATE_ENTER)]
        return and_(cls.object_type != "mandate", cls.actor_role.not_in(inspectors))


@event.listens_for(AuditEntry, "before_insert")
def _set_search_key(mapper: object, connection: object, entry: AuditEntry) -> None:
    entry.search_key = fold(f"{entry.actor_label} {entry.object_label}")[:450]


class AuditHead(Owned, Model):
    """The end of a school's chain: how many lines it has, and the digest of the last one."""

    __tablename__ = "audit_head"
    __table_args__ = (UniqueConstraint("establishment_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: empty for the platform's own chain
    establishment_id: Mapped[int | None] = mapped_column(ForeignKey("establishment.id"))  # type: ignore[assignment]
    lines: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
