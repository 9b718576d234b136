"""The history of a record, on its page: journal lines in readable form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.audit.queries import list_history
from cpro.core.formatting import format_instant
from cpro.core.permissions import Permission
from cpro.core.web.current_user import current_principal
from cpro.establishments import queries

_SHOWN_ON_A_RECORD = 10


@dataclass(frozen=True)
class HistoryLine:
    """One line of the journal, ready to be displayed."""

    id: int
    who: str
    what: str
    #: name of the object, when the page does not already show it
    about: str
    when: str
    changes: list[labels.Change]
    can_be_restored: bool = False
    picture_url: str | None = None


def record_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Return what the journal records of a record, for its page; INEs are masked for the support.

    The page of a journal line has no such section: it is the journal itself.
    """
    principal = current_principal()
    if principal is None or not principal.can(Permission.JOURNAL_VIEW) or object_type == AuditEntry.__tablename__:
        return None
    masked, timezone = not principal.can(Permission.INE_READ), queries.get_current_establishment().timezone
    lines = [
        HistoryLine(
            id=entry.id,
            who=labels.actor_name(entry),
            what=labels.action_label(entry.action),
            about="",
            when=format_instant(entry.at, timezone),
            changes=labels.describe(entry, masked=masked, timezone=timezone),
        )
        for entry in list_history(object_type, object_id, limit=_SHOWN_ON_A_RECORD)
    ]
    return "audit/_history.html", {"lines": lines}
