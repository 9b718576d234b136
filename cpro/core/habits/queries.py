"""Queries on habits, always limited to one account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ScalarSelect, Select, select

from cpro.core.habits.models import ListHabits
from cpro.extensions import db


def find_habits(screen: str, *, account_id: int) -> ListHabits | None:
    """Return an account's habits for a list, or None."""
    return db.session.scalars(_select(screen, account_id)).one_or_none()


def select_habits(screen: str, *, account_id: int) -> tuple[ScalarSelect[Any], ScalarSelect[Any]]:
    """Return the chosen columns and the kept lists as scalar subqueries, typed as in `ListHabits`."""
    own = _select(screen, account_id)
    columns, kept = own.with_only_columns(ListHabits.columns), own.with_only_columns(ListHabits.kept)
    return columns.scalar_subquery(), kept.scalar_subquery()


def _select(screen: str, account_id: int) -> Select[ListHabits]:
    return select(ListHabits).where(ListHabits.account_id == account_id, ListHabits.screen == screen)
