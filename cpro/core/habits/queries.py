"""What is read of habits: one's own, always."""

from __future__ import annotations

from sqlalchemy import select

from cpro.core.habits.models import ListHabits
from cpro.extensions import db


def find_habits(screen: str, *, account_id: int) -> ListHabits | None:
    """Return what somebody keeps of a list, or None."""
    return db.session.scalars(
        select(ListHabits).where(ListHabits.account_id == account_id, ListHabits.screen == screen)
    ).one_or_none()
