"""How the particulars are restored from the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.core.concurrency import fingerprint
from cpro.core.permissions import Actor
from cpro.establishments.models import Establishment
from cpro.establishments.operations.particulars import RULES, get_particulars, update_particulars
from cpro.establishments.queries import get_current_establishment
from cpro.settings.history.restoring import RestorePlan, Restoring


def _to_restore(entry: AuditEntry, school: Establishment) -> dict[str, str]:
    """Return the old values of a line that differ from the current ones; a locked UAI is left as it is."""
    stored = get_particulars(school)
    locked = {"uai"} if school.uai_locked_at is not None else set()
    return {
        name: old or ""
        for name, (old, _new) in entry.changes.items()
        if name in RULES and name not in locked and stored[name] != (old or "")
    }


def _list_restorable(entries: Sequence[AuditEntry]) -> set[int]:
    school = get_current_establishment()
    return {entry.id for entry in entries if _to_restore(entry, school)}


def _plan(entry: AuditEntry) -> RestorePlan | None:
    school = get_current_establishment()
    stored, wanted = get_particulars(school), _to_restore(entry, school)
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


def _restore(entry: AuditEntry, *, opened_on: str | None, password_given: bool, by: Actor, now: datetime) -> str:
    wanted = _to_restore(entry, get_current_establishment())
    changes = update_particulars(wanted, opened_on=opened_on, password_given=password_given, by=by, now=now)
    names = ", ".join(labels.field_label("establishment", name) for name in changes)
    return f"Rétabli : {names}."


RESTORING = Restoring(_list_restorable, _plan, _restore, may_ask_password=True)
