"""Read the news of a person: their latest journal lines and records, and the mandates that end soon.

A line is new when it comes after the last one shown to the person: one action at a time writes in a school, so ids
follow the commits, which dates do not. Each kind is found from that line on in the index of actions, however long the
journal is. Nothing is news for longer than `KEPT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, union_all
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import clock
from cpro.core.clock import today_in
from cpro.core.counts import MOST_WAITING, Counted
from cpro.core.permissions import Permission, Principal
from cpro.core.web.registry import registry
from cpro.extensions import db
from cpro.inspectors.models import SOON, Mandate
from cpro.inspectors.queries import select_ending
from cpro.site.news.kind import Kind, list_conditions
from cpro.site.news.kinds import list_kinds
from cpro.site.news.records import queries as records
from cpro.site.news.records.queries import RecordNews

#: How long an event is news, and how many are shown.
KEPT = timedelta(days=30)
SHOWN = 50


@dataclass(frozen=True)
class Mark:
    """How far a person has read: the journal down to a line (None before they read any), the rest until an instant."""

    line: int | None
    at: datetime


@dataclass(frozen=True)
class News:
    """One line of the journal, its kind of news, and whether it is unread."""

    line: AuditEntry
    kind: Kind
    is_new: bool


@dataclass(frozen=True)
class Ending:
    """A mandate that ends soon, and whether that is unread."""

    mandate: Mandate
    is_new: bool


def count_new(person: Principal) -> list[Counted]:
    """Return the count of a person's news, to be read with the counts of the menu."""
    now = clock.utcnow()
    read = _find_mark(person, now)
    is_new = _is_new_line(read, now)
    lines = [
        Counted(select(AuditEntry.id).where(condition, is_new), MOST_WAITING)
        for condition in list_conditions(list_kinds(person), person)
    ]
    if person.can(Permission.NEWS_READ):
        lines += [Counted(each, MOST_WAITING) for each in records.select_new(person, read.at)]
    if not _may_read_endings(person):
        return lines
    return [*lines, Counted(_select_endings(now).where(_is_new_ending(read)), MOST_WAITING)]


def list_news(person: Principal, *, unread: bool) -> list[News]:
    """Return the latest lines that are news for a person, or where `unread` the oldest that they have not read.

    One statement; returns up to one more than `SHOWN`, so that the caller knows whether there are more.
    """
    now = clock.utcnow()
    is_new = _is_new_line(_find_mark(person, now), now)
    kinds = [each for each in list_kinds(person) if each.is_counted or not unread]
    if not kinds:
        return []
    kept, order = (is_new, AuditEntry.id.asc()) if unread else (_is_after(now - KEPT), AuditEntry.id.desc())
    lines = [
        select(AuditEntry.id.label("line"), literal(place).label("kind"))
        .where(kind.condition(person), kept)
        .order_by(order)
        .limit(SHOWN + 1)
        .subquery()
        for place, kind in enumerate(kinds)
    ]
    found = union_all(*(select(each.c.line, each.c.kind) for each in lines)).subquery()
    rows = db.session.execute(
        select(AuditEntry, found.c.kind, is_new)
        .join(found, found.c.line == AuditEntry.id)
        .order_by(order)
        .limit(SHOWN + 1)
    )
    return [News(line, kinds[place], bool(new) and kinds[place].is_counted) for line, place, new in rows]


def list_record_news(person: Principal, *, unread: bool) -> list[tuple[RecordNews, bool]]:
    """Return a person's news from the records, of each kind as many as `list_news`, and what is new; in no order."""
    if not person.can(Permission.NEWS_READ):
        return []
    now = clock.utcnow()
    read = _find_mark(person, now).at
    after = read if unread else now - KEPT
    return [(each, each.at > read) for each in records.list_new(person, after, limit=SHOWN + 1, oldest=unread)]


def find_last_line(session: Session, establishment_id: int, until: int) -> int:
    """Return the id of the last journal line of a school up to an id, 0 for none."""
    written = AuditEntry.establishment_id == establishment_id
    return session.scalar(select(func.max(AuditEntry.id)).where(written, AuditEntry.id <= until)) or 0


def list_endings(person: Principal) -> list[Ending]:
    """Return the mandates that end soon, the earliest end first, for those who may extend or close them."""
    if not _may_read_endings(person):
        return []
    now = clock.utcnow()
    mandates = db.session.scalars(
        select(Mandate).where(Mandate.id.in_(_select_endings(now))).order_by(Mandate.ends_on, Mandate.id).limit(SHOWN)
    )
    read = _find_mark(person, now)
    return [Ending(each, each.ends_on > _day_of(read.at) + SOON or each.opened_at > read.at) for each in mandates]


def _may_read_endings(person: Principal) -> bool:
    return person.can(Permission.NEWS_READ) and person.can(Permission.MANDATES_MANAGE)


def _select_endings(now: datetime) -> Select[int]:
    today = _day_of(now)
    return select_ending(today, today + SOON)


def _is_new_ending(read: Mark) -> ColumnElement[bool]:
    """Return the condition of the mandates that were not ending soon when the person last read, or did not exist."""
    return (Mandate.ends_on > _day_of(read.at) + SOON) | (Mandate.opened_at > read.at)


def _find_mark(person: Principal, now: datetime) -> Mark:
    """Return how far a person has read: what is later is new."""
    floor = now - KEPT
    return Mark(person.news_read_line, max(person.news_read_at or floor, floor))


def _is_new_line(read: Mark, now: datetime) -> ColumnElement[bool]:
    if read.line is None:
        return _is_after(read.at)
    return and_(_is_after(now - KEPT), AuditEntry.id > read.line)


def _is_after(instant: datetime) -> ColumnElement[bool]:
    """Return the condition of the lines written after the last one written at an instant."""
    last = (
        select(AuditEntry.id)
        .where(AuditEntry.at <= instant)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return AuditEntry.id > func.coalesce(last, 0)


def _day_of(instant: datetime) -> date:
    return today_in(registry().timezone(), instant)
