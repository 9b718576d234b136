"""The pictures named by lines of the history, and how one is restored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import current_app, url_for

from cpro.audit.models import AuditEntry
from cpro.core import clock
from cpro.core.concurrency import fingerprint
from cpro.core.formatting import format_instant
from cpro.core.parsing import read_id
from cpro.core.permissions import Actor
from cpro.core.storage import FileStorage
from cpro.establishments import queries
from cpro.establishments.models import PictureKind, PictureVersion
from cpro.establishments.operations.pictures import get_picture_in_use, restore_picture
from cpro.settings.history.restoring import RestorePlan, Restoring


def _version_id(entry: AuditEntry) -> int:
    return read_id(entry.changes.get("version", (None, 0))[1]) or 0


def _list_restorable(entries: Sequence[AuditEntry]) -> set[int]:
    versions = queries.list_restorable(now=clock.utcnow())
    return {entry.id for entry in entries if _restores_a_picture(entry) and _version_id(entry) in versions}


def _restores_a_picture(entry: AuditEntry) -> bool:
    return entry.action.endswith((":deposited", ":cleared", ":restored"))


def list_addresses(entries: Sequence[AuditEntry]) -> dict[int, str]:
    """Return the addresses of the pictures named by the lines that are still kept."""
    kept = {*queries.list_restorable(now=clock.utcnow())}
    kept |= {version.id for kind in PictureKind if (version := queries.find_picture(kind))}
    return {
        entry.id: url_for("history.picture", version_id=_version_id(entry))
        for entry in entries
        if _restores_a_picture(entry) and _version_id(entry) in kept
    }


def _plan(entry: AuditEntry) -> RestorePlan | None:
    version = (
        queries.list_restorable(now=clock.utcnow()).get(_version_id(entry)) if _restores_a_picture(entry) else None
    )
    if version is None:
        return None
    kind = version.kind
    current = queries.find_picture(kind)
    return RestorePlan(
        f"le {kind.label}",
        [(kind.label.capitalize(), _described(current), _described(version))],
        fingerprint(get_picture_in_use(kind)),
    )


def _restore(entry: AuditEntry, *, opened_on: str | None, by: Actor, now: datetime) -> str:
    storage = FileStorage(current_app.config["CPRO_UPLOADS"])
    version = restore_picture(_version_id(entry), storage=storage, opened_on=opened_on, by=by, now=now)
    return f"Le {version.kind.label} est rétabli. Vous pouvez annuler pendant 30 jours."


def _described(version: PictureVersion | None) -> str:
    if version is None:
        return "aucune image"
    deposited = format_instant(version.created_at, queries.get_current_establishment().timezone)
    return f"image du {deposited} ({version.width} × {version.height} pixels)"


RESTORING = Restoring(_list_restorable, _plan, _restore)
