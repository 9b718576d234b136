"""Keep what a person had typed when their sign-in ended or their form was refused, and give it back to them alone.

The first waits for a cookie's token and the next sign-in; the second belongs to the sign-in it was posted in, and ends
with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cpro.core.secrets import new_token, token_hash
from cpro.users.models import ParkedForm

LIFETIME = timedelta(hours=2)
#: For a person whose role was closed meanwhile: they come back once it is reopened.
LIFETIME_WHILE_CLOSED = timedelta(days=7)
#: Characters kept of one form: our largest, a scenario of five long rich texts, with room to spare.
MAX_CHARACTERS = 300_000
#: Forms kept for one owner while nobody is signed in: the latest.
MAX_PARKED = 5
#: Refused forms kept for one sign-in: the latest.
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
    """Keep the fields of a form and return the token of the browser's cookie, or None when they are too many.

    `owner` is "account:12" or "platform:3": nobody else gets the form back. It is kept for longer `while_closed`.
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
    """Return the fields kept under a token for a page; None when too old, somebody else's or another page's."""
    parked = _find(session, token, owner, now)
    return [(name, value) for name, value in parked.fields] if parked and parked.path == path else None


def find_path(session: Session, *, token: str, owner: str, now: datetime) -> str | None:
    """Return the page a parked form stands on, or None when there is none for this person."""
    parked = _find(session, token, owner, now)
    return parked.path if parked else None


def keep_refused(session: Session, *, owner: str, path: str, fields: Sequence[tuple[str, str]], now: datetime) -> bool:
    """Keep a refused form for its page, in place of an earlier one; return whether it is kept: not when it is too long.

    `owner` names the sign-in (`refused_owner`).
    """
    forget_refused(session, owner=owner, path=path)
    session.execute(delete(ParkedForm).where(ParkedForm.created_at < now - LIFETIME))
    if len(path) > 500 or sum(len(name) + len(value) for name, value in fields) > MAX_CHARACTERS:
        return False
    _keep_latest(session, owner, MAX_REFUSED)
    kept_now = {"owner": owner, "path": path, "fields": [[name, value] for name, value in fields], "created_at": now}
    # One statement: a button pressed twice keeps its form in two transactions at once.
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = insert(ParkedForm).values(token_hash=_refused_key(owner, path), **kept_now)
    session.execute(new.on_conflict_do_update(index_elements=["token_hash"], set_=kept_now))
    return True


def read_refused(session: Session, *, owner: str, path: str, now: datetime) -> list[tuple[str, str]] | None:
    """Return the fields of the form refused on a page in a sign-in, or None when there is none or it is too old."""
    kept = session.get(ParkedForm, _refused_key(owner, path))
    if kept is None or kept.created_at < now - LIFETIME:
        return None
    return [(name, value) for name, value in kept.fields]


def forget_refused(session: Session, *, owner: str, path: str | None = None) -> None:
    """Forget the form refused on a page, or on every page (None), in a sign-in."""
    wanted = ParkedForm.owner == owner
    session.execute(
        delete(ParkedForm).where(wanted if path is None else ParkedForm.token_hash == _refused_key(owner, path))
    )


def refused_owner(kind: str, account_id: int, sign_in_id: int) -> str:
    """Return the owner of the forms refused in a sign-in."""
    return f"{kind}:{account_id}/{sign_in_id}"


def _keep_latest(session: Session, owner: str, most: int) -> None:
    """Forget the oldest forms of an owner, so that one more makes `most`."""
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
