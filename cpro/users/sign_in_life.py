"""How long a sign-in lasts: idle, and at most; longer in a browser that its owner trusts, never idle for longer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from cpro.config import INACTIVITY_LIMIT, SIGN_IN_LIFE
from cpro.users.sign_in_models import SignIn


def find_latest_end(sign_in: SignIn) -> datetime:
    """Return when a sign-in ends however active; a trust that is nearly over does not shorten it."""
    end = sign_in.created_at + SIGN_IN_LIFE
    return max(end, sign_in.trusted_until or end)


def is_over(sign_in: SignIn, now: datetime) -> bool:
    """Return whether a sign-in has ended: idle for too long, or as old as it may become."""
    return sign_in.last_seen_at + INACTIVITY_LIMIT < now or find_latest_end(sign_in) < now


def has_life_left(now: datetime) -> ColumnElement[bool]:
    """Return the condition of the sign-ins that are not over; never unknown, so that it can be negated."""
    is_trusted = and_(SignIn.trusted_until.is_not(None), SignIn.trusted_until >= now)
    return and_(SignIn.last_seen_at >= now - INACTIVITY_LIMIT, or_(SignIn.created_at >= now - SIGN_IN_LIFE, is_trusted))
