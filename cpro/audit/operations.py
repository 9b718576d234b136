"""Write audit lines, inside the transaction of the action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from cpro.audit import chain
from cpro.audit.models import AuditEntry
from cpro.core.permissions import Actor
from cpro.core.tenancy import TenancyError, scope_of
from cpro.extensions import db

_LABEL_LENGTH = 200


class About(NamedTuple):
    """What an audit line is about."""

    object_type: str
    object_id: object
    object_label: str


class Line(NamedTuple):
    """A line of the journal of a school, or of the platform (None): its object, actor and changes."""

    establishment_id: int | None
    about: About
    by: Actor
    changes: Mapping[str, tuple[Any, Any]]


def record(
    action: str,
    about: About,
    *,
    by: Actor,
    now: datetime,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    establishment_id: int | None = None,
    session: Session | None = None,
) -> None:
    """Add one line to the journal and flush it: the action fails if its line cannot be written.

    `changes` maps a field to its old and new value (plain values, no secret). In a school's session the line belongs to
    that school; in a platform session, to `establishment_id`.
    """
    target: Session = session or db.session()
    scope = scope_of(target)
    school_id = establishment_id if scope.is_platform else scope.establishment_id
    chain.append(target, [_entry(action, Line(school_id, about, by, changes or {}), now)])
    target.flush()


def record_each(action: str, lines: Iterable[Line], *, now: datetime, session: Session) -> None:
    """Add lines to the journals of several schools and flush them, like `record`, in a platform session."""
    if not scope_of(session).is_platform:
        raise TenancyError("lines of several schools are written in a platform session")
    if entries := [_entry(action, line, now) for line in lines]:
        chain.append(session, entries)
        session.flush()


def _entry(action: str, line: Line, now: datetime) -> AuditEntry:
    return AuditEntry(
        establishment_id=line.establishment_id,
        at=now,
        actor_kind=line.by.kind,
        actor_id=line.by.id,
        actor_label=line.by.label[:_LABEL_LENGTH],
        actor_role=line.by.role,
        origin=line.by.origin[:64],
        action=action,
        object_type=line.about.object_type,
        object_id=str(line.about.object_id)[:64],
        object_label=line.about.object_label[:_LABEL_LENGTH],
        changes={name: [old, new] for name, (old, new) in line.changes.items()},
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the differences between two snapshots of an object: {field: (old, new)}."""
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
