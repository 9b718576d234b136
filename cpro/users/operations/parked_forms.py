"""Keep what somebody had typed when their sign-in ended, and give it back to them alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from cpro.core.secrets import new_token, token_hash
from cpro.users.models import ParkedForm

LIFETIME = timedelta(hours=2)
#: Characters kept of one form: our largest, a scenario of five long rich texts, with room to spare.
MAX_CHARACTERS = 300_000


def park(session: Session, *, owner: str, path: str, fields: Sequence[tuple[str, str]], now: datetime) -> str | None:
    """Keep the fields of a form and return the token of the browser's cookie, or None when they are too many.

    `owner` is "account:12" or "platform:3": nobody else gets the form back.
    """
    session.execute(delete(ParkedForm).where(ParkedForm.created_at < now - LIFETIME))
    if len(path) > 500 or sum(len(name) + len(value) for name, value in fields) > MAX_CHARACTERS:
        return None
    token = new_token()
    session.add(
        ParkedForm(
            token_hash=token_hash(token),
            owner=owner,
            path=path,
            fields=[[name, value] for name, value in fields],
            created_at=now,
        )
    )
    session.flush()
    return token


def read(session: Session, *, token: str, owner: str, path: str, now: datetime) -> list[tuple[str, str]] | None:
    """Return the fields kept under a token for a page; None when too old, somebody else's or another page's."""
    parked = _find(session, token, owner, now)
    return [(name, value) for name, value in parked.fields] if parked and parked.path == path else None


def find_path(session: Session, *, token: str, owner: str, now: datetime) -> str | None:
    """Return the page a parked form stands on, or None when there is none for this person."""
    parked = _find(session, token, owner, now)
    return parked.path if parked else None


def _find(session: Session, token: str, owner: str, now: datetime) -> ParkedForm | None:
    parked = session.get(ParkedForm, token_hash(token))
    if parked is None or parked.owner != owner or parked.created_at < now - LIFETIME:
        return None
    return parked
