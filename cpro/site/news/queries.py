"""Read the news of a person: their latest journal lines and records, and the mandates that end soon.

A line is new when it comes after the last one shown to the person: one action at a time writes in a school, so ids
follow the commits, which dates do not. Each kind is found from that line on in the index of actions, however long the
journal is. Nothing is news for longer than `KEPT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from cpro.audit.models import AuditEntry
from cpro.core import clock
from cpro.core.clock import today_in
from cpro.core.counts import MOST_WAITING, Counted
from cpro.core.permissions import Permission, Principal
from cpro.core.reader import bind_reader
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
#: What stands for how far a person has read, and for the day, in the statements; `bind_news` gives the values.
_READ_LINE: BindParameter[int] = bindparam("news_read_line", type_=AuditEntry.id.type)
_READ_AT: BindParameter[datetime] = bindparam("news_read_at", type_=AuditEntry.at.type)
#: the last day that was soon when they read
_READ_SOON: BindParameter[date] = bindparam("news_read_soon", type_=Mandate.ends_on.type)
#: the instant after which a line is new, unless it comes before the one last read
_LINES_AFTER: BindParameter[datetime] = bindparam("news_lines_after", type_=AuditEntry.at.type)
_TODAY: BindParameter[date] = bindparam("news_today", type_=Mandate.ends_on.type)
_SOON: BindParameter[date] = bindparam("news_soon", type_=Mandate.ends_on.type)


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


def count_new(rights: frozenset[Permission]) -> list[Counted]:
    """Return the counts of the news of people of some rights, to be read with those of the menu.

    Reading them requires the values of `bind_news`.
    """
    if Permission.NEWS_READ not in rights:
        return []
    lines = [select(AuditEntry.id).where(each, _is_new_line()) for each in list_conditions(list_kinds(rights))]
    lines += records.select_new(rights, _READ_AT)
    if Permission.MANDATES_MANAGE in rights:
        lines.append(select_ending(_TODAY, _SOON).where(_is_new_ending()))
    return [Counted(each, MOST_WAITING) for each in lines]


def bind_news(person: Principal) -> dict[str, Any]:
    """Return the values of the statements on a person's news: who they are, how far they have read, the day."""
    now = clock.utcnow()
    read, today = _find_mark(person, now), _day_of(now)
    return bind_reader(person) | {
        _READ_LINE.key: read.line or 0,
        _READ_AT.key: read.at,
        _READ_SOON.key: _day_of(read.at) + SOON,
        _LINES_AFTER.key: read.at if read.line is None else now - KEPT,
        _TODAY.key: today,
        _SOON.key: today + SOON,
    }


def list_news(person: Principal, *, unread: bool) -> list[News]:
    """Return the latest lines that are news for a person, or where `unread` the oldest that they have not read.

    One statement; returns up to one more than `SHOWN`, so that the caller knows whether there are more.
    """
    kinds = [each for each in list_kinds(person.role.permissions) if each.is_counted or not unread]
    if not kinds:
        return []
    is_new, is_kept = _is_new_line(), _is_after(clock.utcnow() - KEPT)
    kept, order = (is_new, AuditEntry.id.asc()) if unread else (is_kept, AuditEntry.id.desc())
    lines = [
        select(AuditEntry.id.label("line"), literal(place).label("kind"))
        .where(kind.condition(), kept)
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
        .limit(SHOWN + 1),
        bind_news(person),
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
    if not (person.can(Permission.NEWS_READ) and person.can(Permission.MANDATES_MANAGE)):
        return []
    found = db.session.execute(
        select(Mandate, _is_new_ending())
        .where(Mandate.id.in_(select_ending(_TODAY, _SOON)))
        .order_by(Mandate.ends_on, Mandate.id)
        .limit(SHOWN),
        bind_news(person),
    )
    return [Ending(mandate, bool(is_new)) for mandate, is_new in found]


def _is_new_ending() -> ColumnElement[bool]:
    """Return the condition of the mandates that were not ending soon when the person last read, or did not exist."""
    return (Mandate.ends_on > _READ_SOON) | (Mandate.opened_at > _READ_AT)


def _find_mark(person: Principal, now: datetime) -> Mark:
    """Return how far a person has read: what is later is new."""
    floor = now - KEPT
    return Mark(person.news_read_line, max(person.news_read_at or floor, floor))


def _is_new_line() -> ColumnElement[bool]:
    return and_(_is_after(_LINES_AFTER), AuditEntry.id > _READ_LINE)


def _is_after(instant: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
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
