"""The history of the settings: lines of the journal as people read them, and how each is restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, url_for

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.audit.queries import list_history
from cpro.core import clock
from cpro.core.concurrency import fingerprint
from cpro.core.errors import NotFound
from cpro.core.formatting import format_instant
from cpro.core.parsing import read_id
from cpro.core.permissions import Actor, Permission, Role, can
from cpro.core.storage import FileStorage
from cpro.core.web.registry import HistoryPart, RestorePlan, Restoring, registry
from cpro.core.web.responses import current_principal
from cpro.establishments import queries
from cpro.establishments.models import Establishment, PictureKind, PictureVersion
from cpro.establishments.operations.particulars import RULES, get_particulars, update_particulars
from cpro.establishments.operations.pictures import get_picture_in_use, restore_picture

PER_PAGE = 20
_SHOWN_ON_A_RECORD = 10


@dataclass(frozen=True)
class HistoryLine:
    """One line of the journal, ready to be shown."""

    id: int
    who: str
    what: str
    #: name of the object, where the page does not say it already
    about: str
    when: str
    changes: list[labels.Change]
    can_be_restored: bool = False
    picture_url: str | None = None


def get_part(key: str) -> HistoryPart:
    """Return a part of the history by its word in the address, or raise `NotFound`."""
    part = registry().history_parts.get(key)
    if part is None:
        raise NotFound("Cette partie de l’historique n’existe pas.")
    return part


def find_part_of(entry: AuditEntry) -> HistoryPart:
    """Return the part that shows a line, or raise `NotFound`: other lines of the journal are not settings."""
    for part in registry().history_parts.values():
        if entry.object_type == part.object_type and entry.action in part.actions:
            return part
    raise NotFound("Cette ligne du journal ne concerne pas les paramètres.")


def list_part(part: HistoryPart, *, before_id: int | None) -> tuple[list[HistoryLine], int | None]:
    """Return a page of a part, latest first, and the id after which the next page begins, if there is one."""
    entries = list_history(part.object_type, actions=part.actions, before_id=before_id, limit=PER_PAGE + 1)
    shown = entries[:PER_PAGE]
    may_restore = part.restoring is not None and can(current_principal(), part.edit)
    restorable = part.restoring.restorable(shown) if part.restoring and may_restore else set()
    pictures = part.pictures(shown) if part.pictures else {}
    timezone = queries.get_current_establishment().timezone
    lines = [
        HistoryLine(
            id=entry.id,
            who=labels.actor_name(entry),
            what=labels.action_label(entry.action),
            about=entry.object_label if part.names_object else "",
            when=format_instant(entry.at, timezone),
            changes=[] if part.pictures else labels.describe(entry, timezone=timezone),
            can_be_restored=entry.id in restorable,
            picture_url=pictures.get(entry.id),
        )
        for entry in shown
    ]
    return lines, shown[-1].id if len(entries) > PER_PAGE else None


def record_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Return what the journal records of a record, for its page; the support reads it with each INE masked.

    The page of a line of the journal has none: it is the journal.
    """
    principal = current_principal()
    if principal is None or not principal.can(Permission.JOURNAL_VIEW) or object_type == AuditEntry.__tablename__:
        return None
    masked, timezone = principal.role is Role.SUPPORT, queries.get_current_establishment().timezone
    lines = [
        HistoryLine(
            id=entry.id,
            who=labels.actor_name(entry),
            what=labels.action_label(entry.action),
            about="",
            when=format_instant(entry.at, timezone),
            changes=labels.describe(entry, masked=masked, timezone=timezone),
        )
        for entry in list_history(object_type, object_id, limit=_SHOWN_ON_A_RECORD)
    ]
    return "audit/_history.html", {"lines": lines}


# --- Établissement -------------------------------------------------------------------------------------------------


def _particulars_to_restore(entry: AuditEntry, school: Establishment) -> dict[str, str]:
    """Return the old values of a line that differ from those of now; a locked UAI stays."""
    stored = get_particulars(school)
    locked = {"uai"} if school.uai_locked_at is not None else set()
    return {
        name: old or ""
        for name, (old, _new) in entry.changes.items()
        if name in RULES and name not in locked and stored[name] != (old or "")
    }


def _restorable_particulars(entries: Sequence[AuditEntry]) -> set[int]:
    school = queries.get_current_establishment()
    return {entry.id for entry in entries if _particulars_to_restore(entry, school)}


def _plan_particulars(entry: AuditEntry) -> RestorePlan | None:
    school = queries.get_current_establishment()
    stored, wanted = get_particulars(school), _particulars_to_restore(entry, school)
    if not wanted:
        return None
    items, warnings = [], []
    for name, old in wanted.items():
        label = labels.field_label("establishment", name)
        present, restored = (labels.value_label("establishment", name, value) for value in (stored[name], old))
        items.append((label, present, restored))
        if stored[name] != (entry.changes[name][1] or ""):
            warnings.append(f"« {label} » a encore changé depuis.")
    if "uai" in entry.changes and school.uai_locked_at is not None:
        warnings.append("Le code UAI restera tel qu’il est : un import ou un transfert a été fait avec lui.")
    changes_address = "email" in wanted
    return RestorePlan(
        "les renseignements de l’établissement", items, fingerprint(stored), warnings, asks_password=changes_address
    )


def _restore_particulars(
    entry: AuditEntry, *, opened_on: str | None, password_given: bool, by: Actor, now: datetime
) -> str:
    wanted = _particulars_to_restore(entry, queries.get_current_establishment())
    changes = update_particulars(wanted, opened_on=opened_on, password_given=password_given, by=by, now=now)
    names = ", ".join(labels.field_label("establishment", name) for name in changes)
    return f"Rétabli : {names}."


# --- Logo ----------------------------------------------------------------------------------------------------------


def _version_id(entry: AuditEntry) -> int:
    return read_id(entry.changes.get("version", (None, 0))[1]) or 0


def _restorable_pictures(entries: Sequence[AuditEntry]) -> set[int]:
    versions = queries.list_restorable(now=clock.utcnow())
    return {entry.id for entry in entries if _restores_a_picture(entry) and _version_id(entry) in versions}


def _restores_a_picture(entry: AuditEntry) -> bool:
    return entry.action.endswith((":deposited", ":restored"))


def _pictures(entries: Sequence[AuditEntry]) -> dict[int, str]:
    """Return the addresses of the pictures still kept that lines name."""
    kept = {*queries.list_restorable(now=clock.utcnow())}
    kept |= {version.id for kind in PictureKind if (version := queries.find_picture(kind))}
    return {
        entry.id: url_for("history.picture", version_id=_version_id(entry))
        for entry in entries
        if _restores_a_picture(entry) and _version_id(entry) in kept
    }


def _plan_picture(entry: AuditEntry) -> RestorePlan | None:
    version = (
        queries.list_restorable(now=clock.utcnow()).get(_version_id(entry)) if _restores_a_picture(entry) else None
    )
    if version is None:
        return None
    kind = PictureKind(version.kind)
    current = queries.find_picture(kind)
    return RestorePlan(
        f"le {kind.label}",
        [(kind.label.capitalize(), _described(current), _described(version))],
        fingerprint(get_picture_in_use(kind)),
    )


def _restore_picture(entry: AuditEntry, *, opened_on: str | None, by: Actor, now: datetime) -> str:
    storage = FileStorage(current_app.config["CPRO_UPLOADS"])
    version = restore_picture(_version_id(entry), storage=storage, opened_on=opened_on, by=by, now=now)
    return f"Le {PictureKind(version.kind).label} est rétabli. Vous pouvez annuler pendant 30 jours."


def _described(version: PictureVersion | None) -> str:
    if version is None:
        return "aucune image"
    deposited = format_instant(version.created_at, queries.get_current_establishment().timezone)
    return f"image du {deposited} ({version.width} × {version.height} pixels)"


PARTS = (
    HistoryPart(
        key="etablissement",
        label="Établissement",
        tab="establishment",
        object_type="establishment",
        actions=("establishment:particulars:changed", "establishment:uai:corrected"),
        edit=Permission.ESTABLISHMENT_EDIT,
        restoring=Restoring(_restorable_particulars, _plan_particulars, _restore_particulars, may_ask_password=True),
    ),
    HistoryPart(
        key="transferts",
        label="Transferts",
        tab="transfers",
        object_type="establishment",
        actions=("establishment:transfers:changed",),
        edit=Permission.TRANSFERS_EDIT,
        # No « Rétablir »: switching transfers is decided in the tab, where one sees what it changes.
    ),
    HistoryPart(
        key="logo",
        label="Logo et cachet",
        tab="pictures",
        object_type="picture",
        actions=tuple(
            f"picture:{kind.value}:{verb}"
            for kind in PictureKind
            for verb in ("deposited", "deleted", "undone", "restored")
        ),
        edit=Permission.PICTURES_EDIT,
        restoring=Restoring(_restorable_pictures, _plan_picture, _restore_picture),
        pictures=_pictures,
    ),
)
