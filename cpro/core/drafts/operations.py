"""Keep, forget and sweep drafts. Nothing of them goes into the journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from cpro.core.drafts.models import Draft
from cpro.core.errors import Conflict, DomainError
from cpro.extensions import db

LIFETIME = timedelta(days=7)
#: Characters kept of one form: our largest, a scenario of five long rich texts, with room to spare.
MAX_CHARACTERS = 300_000
MAX_FIELDS = 3_000
#: Drafts kept of one person: some for each pupil of several divisions; beyond, the oldest goes.
MOST_DRAFTS = 200
_MOST_TURNS = 2**31 - 1
#: How long a page that was saved may still send what it had under way.
_OVER_FOR = timedelta(hours=1)


class DraftTooLarge(DomainError):
    """Refuse to keep more than `MAX_CHARACTERS`."""

    status = 413

    message = "Ce texte est trop long pour être gardé comme brouillon\u202f: validez-le ou raccourcissez-le."


class DraftOver(Conflict):
    """Refuse what a page sends after it was saved or given up."""

    message = "Cette page a déjà été enregistrée ou abandonnée\u202f: rouvrez-la pour écrire à nouveau."


class PageSent(Conflict):
    """Ask before something is created twice from one page: a button pressed twice, or Back and again."""

    message = (
        "Ce formulaire vient déjà d’être enregistré\u202f: rien n’a été créé une seconde fois. S’il en faut vraiment "
        "deux, validez à nouveau."
    )


@dataclass(frozen=True)
class DraftKey:
    """Which form a draft is of, which object, and whom it is about."""

    form: str
    object: str
    subject: str = ""


@dataclass(frozen=True)
class PageMark:
    """What an open page says of itself: its token, how often it saved, the draft it began from ("token@turn")."""

    token: str
    turn: int = 0
    origin: str = ""

    @property
    def origin_token(self) -> str:
        """Return the token of the draft the page began from, or ""."""
        return self.origin.partition("@")[0]

    def began_from(self, draft: Draft) -> bool:
        """Return whether a draft still is as this page showed it."""
        return self.origin == f"{draft.token}@{draft.turn}"


def keep(key: DraftKey, mark: PageMark, fields: Sequence[tuple[str, str]], *, account_id: int, now: datetime) -> Draft:
    """Keep what a page holds in place of what it held, and of the draft it began from; return the draft.

    A draft that another tab has changed since stays beside this one. What arrives after a later turn of the same page
    changes nothing. Raises `DraftTooLarge`, `DraftOver`.
    """
    if len(fields) > MAX_FIELDS or sum(len(name) + len(value) for name, value in fields) > MAX_CHARACTERS:
        raise DraftTooLarge
    draft = _find(account_id, mark.token)
    if draft is not None and draft.over_at is not None:
        raise DraftOver
    if draft is not None and mark.turn < draft.turn:
        return draft
    draft = draft or _take_over(mark, account_id) or _begin(key, mark, account_id, now)
    draft.form, draft.object_key, draft.subject = key.form, key.object, key.subject
    draft.fields = [[name, value] for name, value in fields]
    draft.turn, draft.saved_at = min(mark.turn, _MOST_TURNS), now
    db.session.flush()
    return draft


def close(key: DraftKey, mark: PageMark, *, account_id: int, now: datetime, creates: bool = False) -> None:
    """Forget what a page kept, and the draft it began from, once it is saved or given up.

    If the page had begun to save drafts, one may still be under way: a mark refuses it for an hour. So it is of a page
    that `creates` something: sent again, it raises `PageSent`.
    """
    draft = _find(account_id, mark.token)
    if creates and draft is not None and draft.over_at is not None:
        raise PageSent
    origin = _find(account_id, mark.origin_token) if mark.origin_token else None
    if origin is not None and mark.began_from(origin):
        db.session.delete(origin)
    if draft is None and (mark.turn > 0 or creates):
        draft = _begin(key, mark, account_id, now)
    if draft is not None:
        draft.fields, draft.over_at = [], now
    db.session.flush()


def forget_object(key: DraftKey, *, account_id: int) -> None:
    """Forget somebody's drafts of an object, which they have just deleted."""
    _delete(db.session(), Draft.account_id == account_id, Draft.form == key.form, Draft.object_key == key.object)


def forget_account(session: Session, account_id: int) -> None:
    """Forget all the drafts of somebody whose account is closed."""
    _delete(session, Draft.account_id == account_id)


def forget_subjects(session: Session, establishment_id: int, subjects: Collection[str]) -> None:
    """Forget all the drafts of a school that are about somebody whose data is deleted."""
    ours = Draft.establishment_id == establishment_id
    held = set(
        session.scalars(select(Draft.subject).where(ours, Draft.subject != ""))
    )  # few, where subjects may be many
    _delete(session, ours, Draft.subject.in_(held.intersection(subjects)))


def sweep(session: Session, *, now: datetime) -> int:
    """Delete the drafts that are not kept any more, in a platform session; return how many people's texts went."""
    ended = session.scalars(
        delete(Draft)
        .where(or_(Draft.saved_at < now - LIFETIME, Draft.over_at < now - _OVER_FOR))
        .returning(Draft.over_at),
        execution_options={"synchronize_session": False},
    )
    return sum(over_at is None for over_at in ended)


def _find(account_id: int, token: str) -> Draft | None:
    return db.session.scalars(select(Draft).where(Draft.account_id == account_id, Draft.token == token)).one_or_none()


def _take_over(mark: PageMark, account_id: int) -> Draft | None:
    """Return the draft a page began from, now its own, unless another tab went on with it."""
    draft = _find(account_id, mark.origin_token) if mark.origin_token else None
    if draft is None or draft.over_at is not None or not mark.began_from(draft):
        return None
    draft.token = mark.token
    return draft


def _begin(key: DraftKey, mark: PageMark, account_id: int, now: datetime) -> Draft:
    oldest = db.session.scalars(
        select(Draft).where(Draft.account_id == account_id).order_by(Draft.saved_at.desc()).offset(MOST_DRAFTS - 1)
    ).all()
    for each in oldest:
        db.session.delete(each)
    draft = Draft(
        account_id=account_id,
        token=mark.token,
        form=key.form,
        object_key=key.object,
        subject=key.subject,
        fields=[],
        turn=0,
        began_at=now,
        saved_at=now,
    )
    db.session.add(draft)
    return draft


def _delete(session: Session, *which: object) -> None:
    session.execute(delete(Draft).where(*which), execution_options={"synchronize_session": False})  # type: ignore[arg-type]
