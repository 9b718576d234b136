"""Read the journal: always the latest lines first, never the whole journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, distinct, func, select
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core.errors import NotFound
from cpro.core.parsing import read_id
from cpro.core.permissions import Actor
from cpro.extensions import db

#: How many of the latest lines are scanned for actors, and how many actors are proposed.
_ACTORS_AMONG, _ACTORS_SHOWN = 2000, 100
_REPEATS_AMONG = 50
#: How many of the latest lines are scanned for the author of a change.
_CHANGES_AMONG = 50


def get_entry(entry_id: int) -> AuditEntry:
    """Return a line of the school's journal, or raise `NotFound`."""
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.id == entry_id)).one_or_none()
    if entry is None:
        raise NotFound("Cette ligne du journal n’existe pas.")
    return entry


def find_last_change(object_type: str, object_id: object, field: str) -> AuditEntry | None:
    """Return the latest line recording a change of a field; if the object's lines name no fields, its latest line."""
    lines = db.session.scalars(
        select(AuditEntry).where(about(object_type, object_id)).order_by(AuditEntry.id.desc()).limit(_CHANGES_AMONG)
    ).all()
    named = (line for line in lines if field in (line.changes or {}))
    return next(named, next((line for line in lines if line.action.endswith(":changed")), None))


def about(object_type: str, object_id: object) -> ColumnElement[bool]:
    """Return the condition selecting lines about one object."""
    return and_(AuditEntry.object_type == object_type, AuditEntry.object_id == str(object_id))


def by_actor(key: str) -> ColumnElement[bool]:
    """Return the condition selecting an actor's lines, by a key of `name_known_actors`; an unknown key matches none.

    Actors without an account are identified by name alone: another school, a command, an automatic task.
    """
    kind, _, known = key.partition(":")
    if number := read_id(known):
        return and_(AuditEntry.actor_kind == kind, AuditEntry.actor_id == number)
    nameless = and_(AuditEntry.actor_kind == kind, AuditEntry.actor_id.is_(None))
    return and_(nameless, AuditEntry.actor_label == known) if known else nameless


def select_history(object_type: str, object_id: object = None, *, actions: Collection[str] = ()) -> Select[AuditEntry]:
    """Select the lines about one object, or about all objects of a type, limited to `actions` if given."""
    statement = select(AuditEntry).where(AuditEntry.object_type == object_type)
    if object_id is not None:
        statement = statement.where(AuditEntry.object_id == str(object_id))
    return statement.where(AuditEntry.action.in_(actions)) if actions else statement


def list_history(object_type: str, object_id: object = None, *, limit: int = 20) -> Sequence[AuditEntry]:
    """Return the latest lines about one object, or about all of a type."""
    statement = select_history(object_type, object_id).order_by(AuditEntry.id.desc()).limit(limit)
    return db.session.scalars(statement).all()


def find_latest(actions: Collection[str]) -> dict[str, AuditEntry]:
    """Return the school's latest line for each of some actions, by action."""
    latest = select(func.max(AuditEntry.id)).where(AuditEntry.action.in_(actions)).group_by(AuditEntry.action)
    return {line.action: line for line in db.session.scalars(select(AuditEntry).where(AuditEntry.id.in_(latest)))}


def name_known_actors() -> list[tuple[str, str]]:
    """Return the key and name of the actors of the last 2000 lines, at most 100 of them: the choices of a filter."""
    recent = (
        select(AuditEntry.actor_kind, AuditEntry.actor_id, AuditEntry.actor_label)
        .order_by(AuditEntry.id.desc())
        .limit(_ACTORS_AMONG)
        .subquery()
    )
    name_alone = case((recent.c.actor_id.is_(None), recent.c.actor_label), else_="")
    people = (
        select(recent.c.actor_kind, recent.c.actor_id, func.max(recent.c.actor_label).label("label"))
        .group_by(recent.c.actor_kind, recent.c.actor_id, name_alone)
        .order_by("label", recent.c.actor_id)
        .limit(_ACTORS_SHOWN)
    )
    return [
        (f"{kind}:{label if actor_id is None else actor_id}", label)
        for kind, actor_id, label in db.session.execute(people)
    ]


def select_between(start: datetime, end: datetime, *, action: str = "", but: str = "") -> Select[int]:
    """Select the ids of the lines of a period that record `action`, or any action except `but`."""
    kept = AuditEntry.action == action if action else AuditEntry.action != but
    return select(AuditEntry.id).where(AuditEntry.at >= start, AuditEntry.at < end, kept)


@dataclass(frozen=True)
class Figures:
    """How many lines record an action, by how many people, from how many addresses."""

    lines: int = 0
    people: int = 0
    origins: int = 0


def count_actions(roles: Collection[str], *, since: datetime, until: datetime) -> dict[str, Figures]:
    """Return the figures of each action by people of some roles between two instants."""
    counted = (
        select(
            AuditEntry.action,
            func.count(AuditEntry.id),
            func.count(distinct(AuditEntry.actor_id)),
            func.count(distinct(AuditEntry.origin)),
        )
        .where(AuditEntry.actor_role.in_(roles), AuditEntry.at >= since, AuditEntry.at < until)
        .group_by(AuditEntry.action)
        .order_by(AuditEntry.action)
    )
    return {action: Figures(*figures) for action, *figures in db.session.execute(counted)}


def select_lines_of(kind: str, actor_id: int, *, since: datetime, until: datetime) -> Select[AuditEntry]:
    """Select the lines of one actor between two instants."""
    return select(AuditEntry).where(_lines_of(kind, actor_id, since, until))


def count_lines_of(kind: str, actor_id: int, *actions: str, since: datetime, until: datetime) -> int:
    """Count the lines of one actor between two instants that record one of these actions."""
    counted = select(func.count(AuditEntry.id)).where(
        _lines_of(kind, actor_id, since, until), AuditEntry.action.in_(actions)
    )
    return db.session.scalar(counted) or 0


def select_times_of(kind: str, actor_id: int, *actions: str) -> Select[datetime]:
    """Return the statement that selects when one actor did one of these actions."""
    is_theirs = and_(AuditEntry.actor_kind == kind, AuditEntry.actor_id == actor_id)
    return select(AuditEntry.at).where(is_theirs, AuditEntry.action.in_(actions))


def _lines_of(kind: str, actor_id: int, since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(
        AuditEntry.actor_kind == kind,
        AuditEntry.actor_id == actor_id,
        AuditEntry.at >= since,
        AuditEntry.at < until,
    )


def find_last_of(
    session: Session, actions: Collection[str], *, establishment_id: int | None, object_type: str, object_id: int
) -> AuditEntry | None:
    """Return the latest line of one of these actions about an object, or None; in a platform session."""
    lines = select(AuditEntry).where(
        _is_of(establishment_id), about(object_type, object_id), AuditEntry.action.in_(actions)
    )
    return session.scalars(lines.order_by(AuditEntry.id.desc()).limit(1)).one_or_none()


def _is_of(establishment_id: int | None) -> ColumnElement[bool]:
    if establishment_id is None:
        return AuditEntry.establishment_id.is_(None)
    return AuditEntry.establishment_id == establishment_id


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
    lines = session.scalars(
        select(AuditEntry)
        .where(
            _is_of(establishment_id),
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
