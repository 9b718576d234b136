"""Hooks of the feature: its menu entries, its event listeners."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask

from cpro.core import events
from cpro.core.counts import MOST_WAITING, Counted
from cpro.core.permissions import Permission
from cpro.core.reader import READER_ID
from cpro.core.web.registry import MenuEntry, registry
from cpro.records.operations.retention import forget_drafts
from cpro.records.pending import select_pending_of_teacher
from cpro.records.queries import find_evaluated


def register_hooks(app: Flask) -> None:
    """Register the menu entries and the event listeners."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Parcours des apprenants",
            "records.pupils",
            Permission.PUPILS_VIEW,
            order=33,
            icon="document",
            covers=("records.*",),
            waits=_list_fiches,
        )
    )
    app_registry.add_menu_entry(
        MenuEntry(
            "Mon parcours", "records.own", Permission.OWN_RECORDS, order=33, icon="document", covers=("records.*",)
        )
    )
    events.competences_used.connect(_competences_used)
    events.import_undone.connect(_forget_drafts)


def _list_fiches(rights: frozenset[Permission]) -> list[Counted]:
    """Return the count of the fiches that wait for a teacher."""
    if Permission.PUPILS_EVALUATE not in rights:
        return []
    return [Counted(select_pending_of_teacher(READER_ID), MOST_WAITING)]


def _competences_used(sender: object, *, ids: frozenset[int], **_more: object) -> set[int]:
    return find_evaluated(ids)


def _forget_drafts(sender: object, *, establishment_id: int, created_ids: Collection[int], **_more: object) -> None:
    forget_drafts(created_ids, establishment_id=establishment_id)
