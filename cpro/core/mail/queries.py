"""Queries on messages, in the school's session unless stated otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from cpro.core.mail.models import MailMessage, MailState
from cpro.extensions import db


def find_oldest_waiting(session: Session) -> datetime | None:
    """Return since when the oldest unsettled message has been waiting, or None; in a platform session."""
    return session.scalar(select(func.min(MailMessage.created_at)).where(MailMessage.settled_at.is_(None)))


def count_by_state(session: Session) -> dict[str, int]:
    """Return the number of messages in each state, all schools together; in a platform session."""
    found = session.execute(select(MailMessage.state, func.count()).group_by(MailMessage.state)).all()
    return {state.value: 0 for state in MailState} | {state.value: number for state, number in found}


def list_messages_about(object_type: str, object_id: object, *, limit: int = 5) -> Sequence[MailMessage]:
    """Return the last messages about an object of the current school, the latest first."""
    return db.session.scalars(
        select(MailMessage)
        .where(MailMessage.object_type == object_type, MailMessage.object_id == str(object_id))
        .order_by(MailMessage.id.desc())
        .limit(limit)
    ).all()


def select_times_written_about(establishment_id: int, object_type: str, object_id: object) -> Select[datetime]:
    """Return the statement that selects when messages were written about an object of a school."""
    return select(MailMessage.created_at).where(
        MailMessage.establishment_id == establishment_id,
        MailMessage.object_type == object_type,
        MailMessage.object_id == str(object_id),
    )


def find_last_messages(object_type: str, object_ids: Collection[object]) -> dict[str, MailMessage]:
    """Return the last message about each of some objects of the current school, keyed by the object's id as text."""
    last = (
        select(func.max(MailMessage.id))
        .where(MailMessage.object_type == object_type, MailMessage.object_id.in_([str(each) for each in object_ids]))
        .group_by(MailMessage.object_id)
    )
    found = db.session.scalars(select(MailMessage).where(MailMessage.id.in_(last)))
    return {message.object_id: message for message in found}
