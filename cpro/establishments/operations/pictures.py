"""Logo and stamp: deposit, delete, undo; delete the files that no row references."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.concurrency import check_fresh
from cpro.core.errors import Conflict, DomainError, NotFound
from cpro.core.permissions import Actor
from cpro.core.storage import FileStorage
from cpro.establishments import queries
from cpro.establishments.imaging import PreparedPicture
from cpro.establishments.models import PictureKind, PictureVersion
from cpro.extensions import db


def create_picture(
    kind: PictureKind, prepared: PreparedPicture, *, storage: FileStorage, by: Actor, now: datetime
) -> PictureVersion:
    """Store a picture as the current one of the school; call `prepare_picture` before the unit of work is opened.

    The file is written first: if the transaction fails it is an orphan, deleted later; a row never lacks its file.
    Raises `StorageUnavailable`.
    """
    queries.lock_current_establishment()
    return _store(kind, prepared, f"picture:{kind.value}:deposited", storage=storage, by=by, now=now)


def replace_by_cleared(
    version_id: int | None, cleared: PreparedPicture, *, storage: FileStorage, by: Actor, now: datetime
) -> PictureVersion:
    """Make `cleared`, the stamp `version_id` without its white (`clear_paper`), the current one; it can be undone.

    Raises `Conflict` when another stamp is now the current one, `StorageUnavailable`.
    """
    queries.lock_current_establishment()
    current = queries.find_picture(PictureKind.STAMP)
    if current is None or current.id != version_id:
        raise Conflict(
            "Le cachet a changé entre-temps\u202f: rien n’a été enregistré. Regardez celui qui est enregistré."
        )
    return _store(PictureKind.STAMP, cleared, "picture:cachet:cleared", storage=storage, by=by, now=now)


def delete_picture(kind: PictureKind, *, by: Actor, now: datetime) -> None:
    """Take the current picture away; its file stays as long as the deletion can be undone. Raises `NotFound`."""
    queries.lock_current_establishment()
    if queries.find_picture(kind) is None:
        raise NotFound(f"Il n’y a pas de {kind.label} à supprimer.")
    _add_version(PictureVersion(kind=kind, created_at=now), f"picture:{kind.value}:deleted", by=by, now=now)


def undo_picture(kind: PictureKind, *, version_id: int | None, by: Actor, now: datetime) -> None:
    """Undo the last deposit or deletion, which must be `version_id`: the one that the page showed.

    Raises `DomainError` when nothing can be undone any more, `Conflict` when the last change is another one.
    """
    queries.lock_current_establishment()
    version = queries.find_undoable(kind, now=now)
    if version is None:
        raise DomainError("Il n’y a plus rien à annuler : un changement d’image s’annule pendant 30 jours.")
    if version.id != version_id:
        raise Conflict(
            f"Le {kind.label} a changé entre-temps : rien n’a été annulé. Regardez l’image enregistrée, puis "
            "annulez à nouveau si c’est bien ce dernier changement."
        )
    version.undone_at = now
    db.session.flush()
    _record(version, f"picture:{kind.value}:undone", by=by, now=now)


def restore_picture(
    version_id: int, *, storage: FileStorage, opened_on: str | None, by: Actor, now: datetime
) -> PictureVersion:
    """Make an earlier picture of the school the current one again, as a new version that can itself be undone.

    Raises `NotFound` when the picture no longer exists (it is kept 30 days after it was replaced or deleted) or when
    its file is gone, `StaleForm` when the picture in use changed since the fingerprint `opened_on`,
    `StorageUnavailable`.
    """
    establishment = queries.lock_current_establishment()
    version = queries.list_restorable(now=now).get(version_id)
    if version is None:
        raise NotFound("Cette image n’est plus conservée : une image remplacée ou supprimée l’est pendant 30 jours.")
    check_fresh(get_picture_in_use(version.kind), opened_on)
    with storage.open(version.stored_name) as file:
        # Written again, so that a clean-up running now sees a recent file.
        stored_name = storage.put(establishment.id, file.read(), Path(version.stored_name).suffix)
    return _add_version(
        PictureVersion(
            kind=version.kind,
            stored_name=stored_name,
            mimetype=version.mimetype,
            width=version.width,
            height=version.height,
            created_at=now,
        ),
        f"picture:{version.kind.value}:restored",
        by=by,
        now=now,
    )


def get_picture_in_use(kind: PictureKind) -> dict[str, int]:
    """Return the id of the version in use, 0 without one, as the values whose fingerprint a confirmation carries."""
    current = queries.find_picture(kind)
    return {"version": current.id if current else 0}


def delete_unused_pictures(session: Session, *, storage: FileStorage, now: datetime) -> list[str]:
    """Delete the files that no picture references any more, in a platform session, and return their names."""
    needed = queries.list_stored_names(session, since=now - queries.UNDO_PERIOD)
    return storage.sweep_unused(needed, now=now)


def _store(
    kind: PictureKind, prepared: PreparedPicture, action: str, *, storage: FileStorage, by: Actor, now: datetime
) -> PictureVersion:
    establishment = queries.get_current_establishment()
    version = PictureVersion(
        kind=kind,
        stored_name=storage.put(establishment.id, prepared.content, prepared.suffix),
        mimetype=prepared.mimetype,
        width=prepared.width,
        height=prepared.height,
        created_at=now,
    )
    return _add_version(version, action, by=by, now=now)


def _add_version(version: PictureVersion, action: str, *, by: Actor, now: datetime) -> PictureVersion:
    db.session.add(version)
    db.session.flush()
    _record(version, action, by=by, now=now)
    return version


def _record(version: PictureVersion, action: str, *, by: Actor, now: datetime) -> None:
    record(
        action,
        About("picture", version.kind.value, version.kind.label),
        by=by,
        now=now,
        changes={"version": (None, version.id)},
    )
