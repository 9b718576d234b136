"""Write audit lines, inside the transaction of the action."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from cpro.audit import chain
from cpro.audit.models import AuditEntry
from cpro.core.permissions import Actor
from cpro.core.tenancy import scope_of
from cpro.extensions import db

_LABEL_LENGTH = 200


class About(NamedTuple):
    """What an audit line is about."""

    object_type: str
    object_id: object
    object_label: str


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

    `changes` maps a field to its old and new value (plain values, no secret). In a school's session the school is
    stamped; in a platform session it is `establishment_id`.
    """
    target: Session = session or db.session()
    scope = scope_of(target)
    entry = AuditEntry(
        establishment_id=establishment_id if scope.is_platform else scope.establishment_id,
        at=now,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label[:_LABEL_LENGTH],
        actor_role=by.role,
        origin=by.origin[:64],
        action=action,
        object_type=about.object_type,
        object_id=str(about.object_id)[:64],
        object_label=about.object_label[:_LABEL_LENGTH],
        changes={name: [old, new] for name, (old, new) in (changes or {}).items()},
    )
    chain.append(target, entry)
    target.flush()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what changed between two pictures of an object: {field: (old, new)}."""
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
