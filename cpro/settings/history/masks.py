"""How the wordings of a diploma are restored from the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cpro.audit.labels import field_label
from cpro.audit.models import AuditEntry
from cpro.core.concurrency import fingerprint
from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import NotFound
from cpro.core.permissions import Actor
from cpro.masks.models import MaskKey
from cpro.masks.operations import get_stored_values, update_wordings
from cpro.masks.queries import list_masks
from cpro.masks.web.forms import get_draft_key
from cpro.settings.history.restoring import RestorePlan, Restoring
from cpro.students.models import Diploma
from cpro.students.queries import find_diploma


def _list_restorable(entries: Sequence[AuditEntry]) -> set[int]:
    """Return every line: the confirmation shows what is left to restore."""
    return {entry.id for entry in entries}


def _plan(entry: AuditEntry) -> RestorePlan | None:
    diploma = find_diploma(entry.object_id)
    if diploma is None:
        return None
    shown, wanted = _shown(diploma), _to_restore(entry, diploma)
    if not wanted:
        return None
    return RestorePlan(
        f"les masques du diplôme {diploma.short_label}",
        [(field_label("masks", name).strip("«» \u202f"), shown[name], old) for name, old in wanted.items()],
        fingerprint(get_stored_values(list_masks(diploma.id))),
        [
            f"« {MaskKey(name).default} » a encore changé depuis."
            for name in wanted
            if shown[name] != entry.changes[name][1]
        ],
    )


def _restore(entry: AuditEntry, *, opened_on: str | None, by: Actor, now: datetime) -> str:
    diploma = find_diploma(entry.object_id)
    if diploma is None:
        raise NotFound("Ce diplôme n’existe plus.")
    update_wordings(diploma, _to_restore(entry, diploma), opened_on=opened_on, by=by, now=now)
    return f"Masques du diplôme {diploma.short_label} rétablis."


def _to_restore(entry: AuditEntry, diploma: Diploma) -> dict[str, str]:
    """Return the old wordings of a line that differ from the current ones; the journal writes defaults out."""
    shown = _shown(diploma)
    return {name: old for name, (old, _new) in entry.changes.items() if name in shown and shown[name] != old}


def _shown(diploma: Diploma) -> dict[str, str]:
    stored = get_stored_values(list_masks(diploma.id))
    return {key.value: stored[key.value] or key.default for key in MaskKey}


def _draft(entry: AuditEntry) -> DraftKey | None:
    diploma = find_diploma(entry.object_id)
    return get_draft_key(diploma) if diploma else None


RESTORING = Restoring(_list_restorable, _plan, _restore, draft=_draft)
