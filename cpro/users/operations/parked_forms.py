"""Store the input of a person whose sign-in ended or whose form was refused, and return it only to that person.

The first kind waits for a cookie's token and the next sign-in; the second belongs to the sign-in it was posted in, and
ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cpro.core.secrets import new_token, token_hash
from cpro.users.sign_in_models import ParkedForm

LIFETIME = timedelta(hours=2)
#: For a person whose role was closed meanwhile: they come back once it is reopened.
LIFETIME_WHILE_CLOSED = timedelta(days=7)
#: Maximum characters of one form: our largest, a scenario of five long rich texts, with a margin.
MAX_CHARACTERS = 300_000
#: Forms kept for an owner who is signed out; the oldest are deleted.
MAX_PARKED = 5
#: Refused forms kept for one sign-in; the oldest are deleted.
MAX_REFUSED = 10


def park(
    session: Session,
    *,
    owner: str,
    path: str,
    fields: Sequence[tuple[str, str]],
    while_closed: bool = False,
    now: datetime,
) -> str | None:
    """Store the fields of a form and return the token for the browser's cookie, or None if they are too long.

    `owner` is "account:12" or "platform:3": the form is only returned to them. It is kept longer `while_closed`.
    """
    session.execute(delete(ParkedForm).where(ParkedForm.created_at < now - LIFETIME))
    if len(path) > 500 or sum(len(name) + len(value) for name, value in fields) > MAX_CHARACTERS:
        return None
    _keep_latest(session, owner, MAX_PARKED)
    token = new_token()
    session.add(
        ParkedForm(
            token_hash=token_hash(token),
            owner=owner,
            path=path,
            fields=[[name, value] for name, value in fields],
            created_at=now + LIFETIME_WHILE_CLOSED - LIFETIME if while_closed else now,
        )
    )
    session.flush()
    return token


def read(session: Session, *, token: str, owner: str, path: str, now: datetime) -> list[tuple[str, str]] | None:
    """Return the fields stored under a token for a page; None if too old, or of another owner or page."""
    parked = _find(session, token, owner, now)
    return [(name, value) for name, value in parked.fields] if parked and parked.path == path else None


def find_path(session: Session, *, token: str, owner: str, now: datetime) -> str | None:
    """Return the page of a parked form, or None if this person has none."""
    parked = _find(session, token, owner, now)
    return parked.path if parked else None


def keep_refused(session: Session, *, owner: str, path: str, fields: Sequence[tuple[str, str]], now: datetime) -> bool:
    """Store a refused form for its page, replacing an earlier one; return False if it is too long.

    `owner` is the key of the sign-in (`refused_owner`).
    """
    forget_refused(session, owner=owner, path=path)
    session.execute(delete(ParkedForm).where(ParkedForm.created_at < now - LIFETIME))
    if len(path) > 500 or sum(len(name) + len(value) for name, value in fields) > MAX_CHARACTERS:
        return False
    _keep_latest(session, owner, MAX_REFUSED)
    kept_now = {"owner": owner, "path": path, "fields": [[name, value] for name, value in fields], "created_at": now}
    # One statement: a double click stores the form in two concurrent transactions.
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = insert(ParkedForm).values(token_hash=_refused_key(owner, path), **kept_now)
    session.execute(new.on_conflict_do_update(index_elements=["token_hash"], set_=kept_now))
    return True


def read_refused(session: Session, *, owner: str, path: str, now: datetime) -> list[tuple[str, str]] | None:
    """Return the fields of the form refused on a page in a sign-in, or None if there is none or it is too old."""
    kept = session.get(ParkedForm, _refused_key(owner, path))
    if kept is None or kept.created_at < now - LIFETIME:
        return None
    return [(name, value) for name, value in kept.fields]


def forget_refused(session: Session, *, owner: str, path: str | None = None) -> None:
    """Delete the form refused on a page, or on every page (None), in a sign-in."""
    wanted = ParkedForm.owner == owner
    session.execute(
        delete(ParkedForm).where(wanted if path is None else ParkedForm.token_hash == _refused_key(owner, path))
    )


def refused_owner(kind: str, account_id: int, sign_in_id: int) -> str:
    """Return the owner of the forms refused in a sign-in."""
    return f"{kind}:{account_id}/{sign_in_id}"


def _keep_latest(session: Session, owner: str, most: int) -> None:
    """Delete the oldest forms of an owner, so that one more makes `most`."""
    kept = session.scalars(
        select(ParkedForm.token_hash).where(ParkedForm.owner == owner).order_by(ParkedForm.created_at.desc())
    ).all()
    session.execute(delete(ParkedForm).where(ParkedForm.token_hash.in_(kept[most - 1 :])))


def _refused_key(owner: str, path: str) -> str:
    return token_hash(f"{owner} {path}")


def _find(session: Session, token: str, owner: str, now: datetime) -> ParkedForm | None:
    parked = session.get(ParkedForm, token_hash(token))
    if parked is None or parked.owner != owner or parked.created_at < now - LIFETIME:
        return None
    return parked
