"""Read the journal: always the latest lines first, never all of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.errors import NotFound
from cpro.core.parsing import read_id
from cpro.core.permissions import Actor
from cpro.extensions import db

#: How many lines back people are looked for, and how many are proposed.
_ACTORS_AMONG, _ACTORS_SHOWN = 2000, 100
_REPEATS_AMONG = 50
#: How many lines back the author of a change is looked for.
_CHANGES_AMONG = 50


def get_entry(entry_id: int) -> AuditEntry:
    """Return a line of the school's journal, or raise `NotFound`."""
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.id == entry_id)).one_or_none()
    if entry is None:
        raise NotFound("Cette ligne du journal n’existe pas.")
    return entry


def find_last_change(object_type: str, object_id: object, field: str) -> AuditEntry | None:
    """Return the latest line that records a change of a field, else of an object whose lines do not name fields."""
    lines = db.session.scalars(
        select(AuditEntry).where(about(object_type, object_id)).order_by(AuditEntry.id.desc()).limit(_CHANGES_AMONG)
    ).all()
    named = (line for line in lines if field in (line.changes or {}))
    return next(named, next((line for line in lines if line.action.endswith(":changed")), None))


def about(object_type: str, object_id: object) -> ColumnElement[bool]:
    """Return the condition of lines about one object."""
    return and_(AuditEntry.object_type == object_type, AuditEntry.object_id == str(object_id))


def by_actor(key: str) -> ColumnElement[bool]:
    """Return the condition of the lines of one actor, named as in `KnownActor.key`; an unknown name finds none."""
    kind, _, number = key.partition(":")
    known = read_id(number)
    return and_(AuditEntry.actor_kind == kind, AuditEntry.actor_id == known if known else AuditEntry.actor_id.is_(None))


def select_history(object_type: str, object_id: object = None, *, actions: Collection[str] = ()) -> Select[AuditEntry]:
    """Return the statement of the lines about one object, or about all of a type, only some actions if asked."""
    statement = select(AuditEntry).where(AuditEntry.object_type == object_type)
    if object_id is not None:
        statement = statement.where(AuditEntry.object_id == str(object_id))
    return statement.where(AuditEntry.action.in_(actions)) if actions else statement


def list_history(object_type: str, object_id: object = None, *, limit: int = 20) -> Sequence[AuditEntry]:
    """Return the latest lines about one object, or about all of a type."""
    statement = select_history(object_type, object_id).order_by(AuditEntry.id.desc()).limit(limit)
    return db.session.scalars(statement).all()


def name_known_actors() -> list[tuple[str, str]]:
    """Return key and name of those whom the last 2000 lines mention, at most 100 people: the choices of a filter."""
    recent = (
        select(AuditEntry.actor_kind, AuditEntry.actor_id, AuditEntry.actor_label)
        .order_by(AuditEntry.id.desc())
        .limit(_ACTORS_AMONG)
        .subquery()
    )
    people = (
        select(recent.c.actor_kind, recent.c.actor_id, func.max(recent.c.actor_label).label("label"))
        .group_by(recent.c.actor_kind, recent.c.actor_id)
        .order_by("label", recent.c.actor_id)
        .limit(_ACTORS_SHOWN)
    )
    return [
        (f"{kind}:{actor_id}" if actor_id is not None else kind, label)
        for kind, actor_id, label in db.session.execute(people)
    ]


def count_by_period(bounds: Sequence[datetime], action: str) -> list[tuple[int, int]]:
    """Return, for each period between two bounds, how many lines record an action and how many record anything else."""
    sums = []
    for start, end in pairwise(bounds):
        inside = and_(AuditEntry.at >= start, AuditEntry.at < end)
        for condition in (AuditEntry.action == action, AuditEntry.action != action):
            sums.append(func.coalesce(func.sum(case((and_(inside, condition), 1), else_=0)), 0))
    row = db.session.execute(
        select(*sums).select_from(AuditEntry).where(AuditEntry.at >= bounds[0], AuditEntry.at < bounds[-1])
    ).one()
    return list(zip(row[::2], row[1::2], strict=True))


def select_lines_of(kind: str, actor_id: int, *, since: datetime, until: datetime) -> Select[AuditEntry]:
    """Return the statement of the lines of one actor between two instants."""
    return select(AuditEntry).where(_lines_of(kind, actor_id, since, until))


def count_lines_of(kind: str, actor_id: int, *actions: str, since: datetime, until: datetime) -> int:
    """Return how many lines of one actor between two instants record one of these actions."""
    counted = select(func.count(AuditEntry.id)).where(
        _lines_of(kind, actor_id, since, until), AuditEntry.action.in_(actions)
    )
    return db.session.scalar(counted) or 0


def _lines_of(kind: str, actor_id: int, since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(
        AuditEntry.actor_kind == kind,
        AuditEntry.actor_id == actor_id,
        AuditEntry.at >= since,
        AuditEntry.at < until,
    )


def find_last_by(
    session: Session,
    actor: Actor,
    action: str,
    *,
    establishment_id: int | None,
    object_type: str,
    object_id: str,
    since: datetime,
    changes: Mapping[str, Any] | None,
) -> AuditEntry | None:
    """Return the latest line of one actor about an object since an instant, with the same changes where given, or None.

    In a platform session. Looks no further than their last fifty lines about it.
    """
    school = (
        AuditEntry.establishment_id.is_(None)
        if establishment_id is None
        else AuditEntry.establishment_id == establishment_id
    )
    lines = session.scalars(
        select(AuditEntry)
        .where(
            school,
            about(object_type, object_id),
            AuditEntry.action == action,
            AuditEntry.actor_kind == actor.kind,
            AuditEntry.actor_id == actor.id,
            AuditEntry.at > since,
        )
        .order_by(AuditEntry.id.desc())
        .limit(_REPEATS_AMONG)
    )
    return next((line for line in lines if changes is None or line.changes == changes), None)
