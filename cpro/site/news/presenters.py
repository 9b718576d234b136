"""Present the news on a page: people who may not read the journal see a role, never a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for

from cpro.audit import labels
from cpro.core import clock
from cpro.core.formatting import format_date, format_instant, of_name, upper_first
from cpro.core.permissions import Permission, Principal
from cpro.core.web.registry import registry
from cpro.site.news.queries import KEPT, SHOWN, Ending, Mark, News, list_endings, list_news, list_record_news
from cpro.site.news.records.presenters import describe_record
from cpro.site.news.records.queries import RecordNews

#: The maximum time between the date of an action and its commit.
_IN_FLIGHT = timedelta(minutes=10)


@dataclass(frozen=True)
class ShownNews:
    """One past or coming event."""

    text: str
    when: str
    is_new: bool
    #: what the person can do about it: label, address
    links: list[tuple[str, str]]


@dataclass(frozen=True)
class NewsItem:
    """One event, with its journal line; None for events read from the records."""

    at: datetime
    line: int | None
    shown: ShownNews


def describe_page(person: Principal) -> dict[str, Any]:
    """Return the data of the page.

    When more is new than it shows, it shows the oldest first, so that reading it leads to the rest.
    """
    now = clock.utcnow()
    items, rest = _read_news(person, unread=False)
    is_cut = any(each.shown.is_new for each in rest)
    if is_cut:
        items, rest = _read_news(person, unread=True)
    news = [each.shown for each in sorted(items, key=lambda each: each.at, reverse=True)]
    endings = list_endings(person)
    mark = _find_last_shown(items, rest, endings, now)
    return {
        "news": news,
        "endings": [_describe_ending(each) for each in endings],
        "has_new": any(each.is_new for each in news) or any(each.is_new for each in endings),
        "is_cut": is_cut,
        "days": KEPT.days,
        "most": SHOWN,
        "mark": {"line": mark.line, "at": mark.at.isoformat()},
        "journal_url": url_for("journal.index_view") if person.can(Permission.JOURNAL_VIEW) else None,
    }


def _read_news(person: Principal, *, unread: bool) -> tuple[list[NewsItem], list[NewsItem]]:
    """Return the news of the journal and the records that are shown, then those that are left out.

    The latest first, or where `unread` the oldest of the unread first.
    """
    items = [NewsItem(each.line.at, each.line.id, _describe(each, person)) for each in list_news(person, unread=unread)]
    items += [
        NewsItem(each.at, None, _describe_record(each, is_new=is_new))
        for each, is_new in list_record_news(person, unread=unread)
    ]
    items.sort(key=lambda each: each.at, reverse=not unread)
    return items[:SHOWN], items[SHOWN:]


def _find_last_shown(items: list[NewsItem], rest: list[NewsItem], endings: list[Ending], now: datetime) -> Mark:
    """Return how far the page has been read: down to what it shows, without covering unread news that it leaves out.

    Very recent records may not be committed yet: they stay new unless something later is shown.
    """
    left = [each for each in rest if each.shown.is_new]
    line = max((each.line for each in items if each.line is not None), default=0)
    line = min([line, *(each.line - 1 for each in left if each.line is not None)])
    shown = [each.at for each in items if each.line is None] + [each.mandate.opened_at for each in endings]
    at = max([now - _IN_FLIGHT, *shown])
    at = min([at, *(each.at - timedelta(microseconds=1) for each in left if each.line is None)])
    return Mark(line, at)


def _describe_record(news: RecordNews, *, is_new: bool) -> ShownNews:
    text, label, url = describe_record(news)
    return ShownNews(f"{text}.", format_instant(news.at, registry().timezone()), is_new, [(label, url)])


def _describe(news: News, person: Principal) -> ShownNews:
    line, masked = news.line, not person.can(Permission.INE_READ)
    if news.kind.sentence is not None:
        text = news.kind.sentence(line)
    elif person.can(Permission.JOURNAL_VIEW):
        text = labels.sentence(line, masked=masked)
    else:
        text = f"{upper_first(labels.doer_name(line))} {labels.action_label(line.action)}"
    when = format_instant(line.at, registry().timezone())
    return ShownNews(f"{text}.", when, news.is_new, [(news.kind.label, news.kind.link(line))])


def _describe_ending(ending: Ending) -> ShownNews:
    mandate = ending.mandate
    return ShownNews(
        f"L’accès inspecteur {of_name(mandate.inspector_name)} prend fin.",
        f"Le {format_date(mandate.ends_on)}",
        ending.is_new,
        [
            ("Prolonger", url_for("inspectors.extend", mandate_id=mandate.id)),
            ("Fermer", url_for("inspectors.close", mandate_id=mandate.id)),
        ],
    )
