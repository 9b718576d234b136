"""Keep a document of activation sheets for half an hour, for the browser that drew it and nobody else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session

from cpro.core.errors import NotFound
from cpro.core.secrets import Unreadable, seal_bytes, unseal_bytes
from cpro.extensions import db
from cpro.students.sheets.models import KeptSheets

KEPT_FOR = timedelta(minutes=30)


class SheetsGone(NotFound):
    """Say that a document is not kept any more, or never was for this browser."""

    def __init__(self) -> None:
        super().__init__(
            "Ce document n’est plus disponible : il se garde 30 minutes, pour le seul navigateur qui l’a demandé, "
            "jusqu’à la déconnexion. Pour d’autres codes, préparez les fiches à nouveau."
        )


def keep_document(
    content: bytes,
    *,
    key: str,
    sign_in_id: int,
    file_format: str,
    about: str,
    account_ids: Sequence[int],
    left_out: str,
    now: datetime,
) -> KeptSheets:
    """Keep a document under a key; those of the school that hold a code of the same people are deleted: it is void."""
    forget_expired(db.session(), now=now)
    _forget_those_of(set(account_ids))
    kept = KeptSheets(
        sign_in_id=sign_in_id,
        sealed=seal_bytes(key, content),
        file_format=file_format,
        about=about[:200],
        sheets=len(account_ids),
        left_out=left_out,
        account_ids=list(account_ids),
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    db.session.add(kept)
    db.session.flush()
    return kept


def get_document(document_id: int, *, sign_in_id: int, now: datetime) -> KeptSheets:
    """Return a document kept for a browser. Raises `SheetsGone`, whoever's it is."""
    wanted = select(KeptSheets).where(KeptSheets.id == document_id, _is_kept_for(sign_in_id, now))
    kept = db.session.scalars(wanted).first()
    if kept is None:
        raise SheetsGone
    return kept


def list_documents(*, sign_in_id: int, now: datetime) -> Sequence[KeptSheets]:
    """Return the documents kept for a browser, the latest first."""
    return db.session.scalars(
        select(KeptSheets).where(_is_kept_for(sign_in_id, now)).order_by(KeptSheets.id.desc())
    ).all()


def read_document(kept: KeptSheets, key: str) -> bytes:
    """Return what a document holds. Raises `SheetsGone` under another key than its own."""
    try:
        return unseal_bytes(key, kept.sealed)
    except Unreadable as error:
        raise SheetsGone from error


def forget_expired(session: Session, *, now: datetime) -> int:
    """Delete the documents whose half-hour is over; return how many."""
    return len(session.scalars(delete(KeptSheets).where(KeptSheets.expires_at <= now).returning(KeptSheets.id)).all())


def _forget_those_of(account_ids: Collection[int]) -> None:
    for kept_id, held in db.session.execute(select(KeptSheets.id, KeptSheets.account_ids)).all():
        if not account_ids.isdisjoint(held):  # type: ignore[attr-defined]
            db.session.execute(delete(KeptSheets).where(KeptSheets.id == kept_id))


def _is_kept_for(sign_in_id: int, now: datetime) -> ColumnElement[bool]:
    return and_(KeptSheets.sign_in_id == sign_in_id, KeptSheets.expires_at > now)
