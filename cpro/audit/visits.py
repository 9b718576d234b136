"""Read from the journal which platform staff entered the school, when, and what they opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, literal, select, union_all

from cpro.audit.models import AuditEntry
from cpro.core.permissions import Permission
from cpro.extensions import db

_ENTERED, _LEFT = "school:entered", "school:left"
#: How many lines of each visit are read, from the first.
LINES_READ = 100


@dataclass
class Visit:
    """One visit of a support account to the school."""

    entered: AuditEntry
    #: empty if they signed out, or their session ended, inside the school
    left_at: datetime | None = None
    #: the lines of what they opened, searched or were refused, oldest first
    lines: list[AuditEntry] = field(default_factory=list)
    #: whether there are more lines than were read
    is_cut: bool = False


def list_support_visits(since: datetime, *, limit: int) -> Sequence[Visit]:
    """Return the visits of the support since an instant, latest first. Three statements."""
    entered = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == _ENTERED, AuditEntry.at >= since, AuditEntry.is_by(Permission.SCHOOLS_ENTER))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    ).all()
    visits = [Visit(each) for each in entered]
    if visits:
        _note_exits(visits)
        _read_lines(visits)
    return visits


def _note_exits(visits: Sequence[Visit]) -> None:
    """Set the end of each visit, from every exit since the oldest of them."""
    exits = db.session.execute(
        select(AuditEntry.id, AuditEntry.actor_id, AuditEntry.at)
        .where(AuditEntry.action == _LEFT, AuditEntry.id > visits[-1].entered.id)
        .order_by(AuditEntry.id.desc())
    )
    for line_id, actor_id, at in exits:
        visit = next((each for each in visits if each.entered.actor_id == actor_id and each.entered.id < line_id), None)
        if visit is not None:
            visit.left_at = at


def _read_lines(visits: Sequence[Visit]) -> None:
    """Give each visit the lines of its actor until their next entry, a bounded number each."""
    entered_again: dict[int | None, int] = {}
    asked = []
    for place, visit in enumerate(visits):  # latest first
        line = visit.entered
        of_visit = [AuditEntry.actor_kind == "platform", AuditEntry.actor_id == line.actor_id, AuditEntry.id > line.id]
        if line.actor_id in entered_again:
            of_visit.append(AuditEntry.id < entered_again[line.actor_id])
        entered_again[line.actor_id] = line.id
        asked.append(
            select(AuditEntry.id.label("line"), literal(place).label("place"))
            .where(*of_visit, AuditEntry.action.not_in([_ENTERED, _LEFT]))
            .order_by(AuditEntry.id)
            .limit(LINES_READ + 1)
            .subquery()
        )
    found = union_all(*(select(each.c.line, each.c.place) for each in asked)).subquery()
    rows = db.session.execute(
        select(AuditEntry, found.c.place).join(found, found.c.line == AuditEntry.id).order_by(AuditEntry.id)
    )
    for entry, place in rows:
        visits[place].lines.append(entry)
    for visit in visits:
        visit.is_cut = len(visit.lines) > LINES_READ
        del visit.lines[LINES_READ:]


def find_last_seen(actor_ids: Collection[int]) -> Mapping[int, datetime]:
    """Return when platform accounts last did something in the school, {account id: instant}."""
    latest = [
        select(func.max(AuditEntry.id))
        .where(AuditEntry.actor_kind == "platform", AuditEntry.actor_id == actor_id)
        .scalar_subquery()
        for actor_id in {*actor_ids}
    ]
    if not latest:
        return {}
    found = db.session.execute(select(AuditEntry.actor_id, AuditEntry.at).where(AuditEntry.id.in_(latest)))
    return {actor_id: at for actor_id, at in found if actor_id is not None}
