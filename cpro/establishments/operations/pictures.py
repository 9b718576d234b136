"""Logo and stamp: deposit, delete, undo; sweep the files nobody needs."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cpro.audit.operations import record
from cpro.core.errors import DomainError, NotFound
from cpro.core.permissions import Actor
from cpro.core.storage import FileStorage
from cpro.establishments import queries
from cpro.establishments.imaging import prepare_picture
from cpro.establishments.models import PictureKind, PictureVersion
from cpro.extensions import db

#: A file younger than this may belong to a deposit that is not committed yet.
_GRACE = timedelta(hours=1)


def deposit_picture(
    kind: PictureKind, content: bytes, *, storage: FileStorage, by: Actor, now: datetime
) -> PictureVersion:
    """Store a picture, re-encoded by us, as the current one of the school.

    The file is written first: if the transaction fails it is an orphan, swept later; never the other way round.
    Raises `UnusablePicture`, `StorageUnavailable`.
    """
    prepared = prepare_picture(content)
    establishment = queries.lock_current_establishment()
    stored_name = storage.put(establishment.id, prepared.content, prepared.suffix)
    return _add_version(
        PictureVersion(
            kind=kind.value,
            stored_name=stored_name,
            mimetype=prepared.mimetype,
            width=prepared.width,
            height=prepared.height,
            created_at=now,
        ),
        f"picture:{kind.value}:deposited",
        by=by,
        now=now,
    )


def delete_picture(kind: PictureKind, *, by: Actor, now: datetime) -> None:
    """Take the current picture away; its file stays as long as the deletion can be undone. Raises `NotFound`."""
    queries.lock_current_establishment()
    if queries.find_picture(kind) is None:
        raise NotFound(f"Il n’y a pas de {kind.label} à supprimer.")
    _add_version(PictureVersion(kind=kind.value, created_at=now), f"picture:{kind.value}:deleted", by=by, now=now)


def undo_picture(kind: PictureKind, *, by: Actor, now: datetime) -> None:
    """Undo the last deposit or deletion. Raises `NotFound` when there is none, `DomainError` after 30 days."""
    queries.lock_current_establishment()
    version = queries.find_undoable(kind, now=now)
    if version is None:
        raise DomainError("Il n’y a plus rien à annuler : un changement d’image s’annule pendant 30 jours.")
    version.undone_at = now
    db.session.flush()
    _record(version, f"picture:{kind.value}:undone", by=by, now=now)


def sweep_pictures(session: Session, *, storage: FileStorage, now: datetime) -> list[str]:
    """Delete the files no picture needs any more, in a platform session, and return their names."""
    needed = queries.list_stored_names(session, since=now - queries.UNDO_PERIOD)
    return storage.sweep(needed, older_than=(now - _GRACE).timestamp())


def _add_version(version: PictureVersion, action: str, *, by: Actor, now: datetime) -> PictureVersion:
    db.session.add(version)
    db.session.flush()
    _record(version, action, by=by, now=now)
    return version


def _record(version: PictureVersion, action: str, *, by: Actor, now: datetime) -> None:
    record(
        action,
        by=by,
        now=now,
        object_type="picture",
        object_id=version.kind,
        object_label=PictureKind(version.kind).label,
        changes={"version": (None, version.id)},
    )
