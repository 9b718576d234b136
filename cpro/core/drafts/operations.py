"""Save, delete and sweep drafts, without recording anything in the journal."""

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
#: Maximum characters of one form: our largest, a scenario of five long rich texts, fits with a margin.
MAX_CHARACTERS = 300_000
MAX_FIELDS = 3_000
#: Maximum drafts of one account: some for each student of several divisions; the oldest is deleted beyond that.
MOST_DRAFTS = 200
_MOST_TURNS = 2**31 - 1
#: How long requests of a saved page may still arrive.
_OVER_FOR = timedelta(hours=1)


class DraftTooLarge(DomainError):
    """The form exceeds `MAX_CHARACTERS` or `MAX_FIELDS`."""

    status = 413

    message = "Ce texte est trop long pour être gardé comme brouillon\u202f: validez-le ou raccourcissez-le."


class DraftOver(Conflict):
    """A page sent a draft after it was saved or abandoned."""

    message = "Cette page a déjà été enregistrée ou abandonnée\u202f: rouvrez-la pour écrire à nouveau."


class PageSent(Conflict):
    """The same page was sent twice (double click, or Back then again): ask before creating a second object."""

    message = (
        "Ce formulaire vient déjà d’être enregistré\u202f: rien n’a été créé une seconde fois. S’il en faut vraiment "
        "deux, validez à nouveau."
    )


@dataclass(frozen=True)
class DraftKey:
    """The form, the object and the subject of a draft."""

    form: str
    object: str
    subject: str = ""


@dataclass(frozen=True)
class PageMark:
    """What an open page sends about itself: its token, its number of saves, the draft it restored ("token@turn")."""

    token: str
    turn: int = 0
    origin: str = ""

    @property
    def origin_token(self) -> str:
        """Return the token of the draft the page restored, or ""."""
        return self.origin.partition("@")[0]

    def began_from(self, draft: Draft) -> bool:
        """Return whether a draft is unchanged since this page restored it."""
        return self.origin == f"{draft.token}@{draft.turn}"


def keep(key: DraftKey, mark: PageMark, fields: Sequence[tuple[str, str]], *, account_id: int, now: datetime) -> Draft:
    """Save a page's content, replacing its previous content and the draft it restored; return the draft.

    If another tab has changed the restored draft since, it is kept beside this one. A request older than the draft's
    turn changes nothing. Raises `DraftTooLarge`, `DraftOver`.
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
    """Delete a page's draft, and the one it restored, once the page is saved or abandoned.

    If the page had saved drafts, a request may still be under way: a mark refuses it for an hour. The same mark is
    written for a page that `creates` an object: sent again, it raises `PageSent`.
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
    """Delete an account's drafts of an object that it has just deleted."""
    _delete(db.session(), Draft.account_id == account_id, Draft.form == key.form, Draft.object_key == key.object)


def forget_account(session: Session, account_id: int) -> None:
    """Delete all the drafts of a closed account."""
    _delete(session, Draft.account_id == account_id)


def forget_subjects(session: Session, establishment_id: int, subjects: Collection[str]) -> None:
    """Delete all the drafts of a school about subjects whose data is deleted."""
    ours = Draft.establishment_id == establishment_id
    held = set(
        session.scalars(select(Draft.subject).where(ours, Draft.subject != ""))
    )  # few, while subjects may be many
    _delete(session, ours, Draft.subject.in_(held.intersection(subjects)))


def sweep(session: Session, *, now: datetime) -> int:
    """Delete expired drafts and marks, in a platform session; return how many drafts, marks not counted."""
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
    """Return the draft a page restored, now the page's own, unless another tab has continued it."""
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
