"""The parts of the settings' history, at most one per tab, and the lines of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.audit.queries import select_history
from cpro.core.errors import NotFound
from cpro.core.formatting import format_instant
from cpro.core.lists import ListState, Page, find_page_from
from cpro.core.permissions import Permission, can
from cpro.core.web.current_user import current_principal
from cpro.establishments.models import PictureKind
from cpro.establishments.queries import get_current_establishment
from cpro.establishments.web.history import HistoryLine
from cpro.settings.history import masks, particulars, pictures
from cpro.settings.history.restoring import Restoring


@dataclass(frozen=True)
class HistoryPart:
    """One part of the settings' history: which journal lines it shows, and how one of them is restored."""

    #: value of `?de=`
    key: str
    label: str
    #: the settings tab it belongs to
    tab: str
    object_type: str
    actions: tuple[str, ...]
    edit: Permission
    #: how lines are restored; None for a part that is only read
    restoring: Restoring | None = None
    #: for a part made of pictures: the addresses of those named by its lines, by the line's id
    pictures: Callable[[Sequence[Any]], dict[int, str]] | None = None
    #: whether its lines concern several objects, which must then be named
    names_object: bool = False


PARTS = (
    HistoryPart(
        key="etablissement",
        label="Établissement",
        tab="establishment",
        object_type="establishment",
        actions=("establishment:particulars:changed", "establishment:uai:corrected"),
        edit=Permission.ESTABLISHMENT_EDIT,
        restoring=particulars.RESTORING,
    ),
    HistoryPart(
        key="transferts",
        label="Transferts",
        tab="transfers",
        object_type="establishment",
        actions=("establishment:transfers:changed",),
        edit=Permission.TRANSFERS_EDIT,
        # No « Rétablir »: transfers are switched in the tab, which shows the consequences.
    ),
    HistoryPart(
        key="masques",
        label="Masque de saisie",
        tab="masks",
        object_type="masks",
        actions=("masks:changed", "masks:copied", "masks:reset"),
        edit=Permission.MASKS_EDIT,
        restoring=masks.RESTORING,
        names_object=True,
    ),
    HistoryPart(
        key="logo",
        label="Logo et cachet",
        tab="pictures",
        object_type="picture",
        actions=tuple(
            f"picture:{kind.value}:{verb}"
            for kind in PictureKind
            for verb in ("deposited", "cleared", "deleted", "undone", "restored")
        ),
        edit=Permission.PICTURES_EDIT,
        restoring=pictures.RESTORING,
        pictures=pictures.list_addresses,
    ),
    # Restoring a shorter period from the history would delete records without the confirmation of its page.
    HistoryPart(
        key="conservation",
        label="Conservation",
        tab="retention",
        object_type="establishment",
        actions=("establishment:retention:changed",),
        edit=Permission.RETENTION_EDIT,
    ),
)


def get_part(key: str) -> HistoryPart:
    """Return the part of the history that an address names, or raise `NotFound`."""
    part = next((each for each in PARTS if each.key == key), None)
    if part is None:
        raise NotFound("Cette partie de l’historique n’existe pas.")
    return part


def find_part_of(entry: AuditEntry) -> HistoryPart:
    """Return the part that shows a line, or raise `NotFound`: the other journal lines are not settings."""
    for part in PARTS:
        if entry.object_type == part.object_type and entry.action in part.actions:
            return part
    raise NotFound("Cette ligne du journal ne concerne pas les paramètres.")


def find_lines(part: HistoryPart, asked: ListState) -> Page[HistoryLine]:
    """Return a page of a part, latest first."""
    page = find_page_from(asked, select_history(part.object_type, actions=part.actions), AuditEntry.id.desc())
    may_restore = part.restoring is not None and can(current_principal(), part.edit)
    restorable = part.restoring.restorable(page.rows) if part.restoring and may_restore else set()
    pictures = part.pictures(page.rows) if part.pictures else {}
    timezone = get_current_establishment().timezone
    return page.show(
        lambda entry: HistoryLine(
            id=entry.id,
            who=labels.actor_name(entry),
            what=labels.action_label(entry.action),
            about=entry.object_label if part.names_object else "",
            when=format_instant(entry.at, timezone),
            changes=[] if part.pictures else labels.describe(entry, timezone=timezone),
            can_be_restored=entry.id in restorable,
            picture_url=pictures.get(entry.id),
        )
    )
