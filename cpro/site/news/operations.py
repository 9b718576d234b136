"""Record until when a person has read their news; this is not an action on the school, so no journal records it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from cpro.core.permissions import Actor
from cpro.site.news.queries import find_last_line
from cpro.users.models import Account
from cpro.users.queries import lock_account


def mark_read(session: Session, *, until: datetime, line: int | None, by: Actor, now: datetime) -> None:
    """Record that the actor has read the journal down to a line, if one was shown, and the rest until an instant.

    Never later than the latest news, never earlier than what they had already read.
    """
    assert by.id is not None, "news are those of an account"
    account = lock_account(session, by.kind, by.id)
    assert isinstance(account, Account), "news are those of an account of a school"
    read_until = min(until, now)
    account.news_read_at = max(account.news_read_at or read_until, read_until)
    if line is not None:
        written = find_last_line(session, account.establishment_id, line)
        account.news_read_line = max(account.news_read_line or 0, written)
