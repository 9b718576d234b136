"""Keep a document of activation sheets for half an hour, only for the browser that created it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import Session

from cpro.core.errors import NotFound
from cpro.core.secrets import Unreadable, seal_bytes, unseal_bytes
from cpro.extensions import db
from cpro.students.credential_sheets.models import KeptSheets

_ARCHIVE = b"PK"

KEPT_FOR = timedelta(minutes=30)


class SheetsGone(NotFound):
    """The document is no longer kept, or never was for this browser."""

    message = (
        "Ce document n’est plus disponible : il se garde 30 minutes, pour le seul navigateur qui l’a demandé, "
        "jusqu’à la déconnexion. Pour d’autres codes, préparez les fiches à nouveau."
    )


def keep_document(
    documents: Mapping[str, bytes],
    *,
    key: str,
    sign_in_id: int,
    file_format: str,
    about: str,
    account_ids: Sequence[int],
    left_out: str,
    now: datetime,
) -> KeptSheets:
    """Store the formats of a document, {"pdf": …, "csv": …}, sealed together under a key; `file_format` was requested.

    The school's earlier documents that show a code of one of these people are deleted: the code is void.
    """
    forget_expired(db.session(), now=now)
    _forget_those_of(set(account_ids))
    kept = KeptSheets(
        sign_in_id=sign_in_id,
        sealed=seal_bytes(key, _pack(documents)),
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
    """Return a document kept for a browser. Raises `SheetsGone`."""
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


def read_document(kept: KeptSheets, key: str) -> dict[str, bytes]:
    """Return a document in each of its formats. Raises `SheetsGone` under any other key."""
    try:
        return _unpack(unseal_bytes(key, kept.sealed), kept.file_format)
    except Unreadable as error:
        raise SheetsGone from error


def _pack(documents: Mapping[str, bytes]) -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as archive:
        for file_format, content in documents.items():
            archive.writestr(file_format, content)
    return packed.getvalue()


def _unpack(packed: bytes, file_format: str) -> dict[str, bytes]:
    """Return the documents of `_pack`; older rows contain a single document, stored as it was."""
    if not packed.startswith(_ARCHIVE):
        return {file_format: packed}
    with ZipFile(BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forget_expired(session: Session, *, now: datetime) -> int:
    """Delete the documents older than half an hour; return how many."""
    return len(session.scalars(delete(KeptSheets).where(KeptSheets.expires_at <= now).returning(KeptSheets.id)).all())


def _forget_those_of(account_ids: Collection[int]) -> None:
    for kept_id, held in db.session.execute(select(KeptSheets.id, KeptSheets.account_ids)).all():
        if not account_ids.isdisjoint(held):  # type: ignore[attr-defined]
            db.session.execute(delete(KeptSheets).where(KeptSheets.id == kept_id))


def _is_kept_for(sign_in_id: int, now: datetime) -> ColumnElement[bool]:
    return and_(KeptSheets.sign_in_id == sign_in_id, KeptSheets.expires_at > now)
