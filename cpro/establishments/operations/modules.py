"""The modules that the head switches on and off: whether one is on, and the switches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cpro.audit.operations import differences
from cpro.core.concurrency import check_fresh
from cpro.core.permissions import Actor
from cpro.establishments import queries
from cpro.establishments.models import Establishment, Module
from cpro.establishments.operations.audit import record_about_school
from cpro.extensions import db


def is_module_on(establishment: Establishment, module: Module) -> bool:
    """Return whether a module is on in a school; menus, pages and commands check it first."""
    return bool(getattr(establishment, f"{module.value}_enabled"))


def get_switches(establishment: Establishment) -> dict[str, bool]:
    """Return the switches of a school, {module's value: on}."""
    return {module.value: is_module_on(establishment, module) for module in Module}


def update_modules(
    wanted: Mapping[str, bool], *, opened_on: str | None, by: Actor, now: datetime
) -> dict[str, tuple[bool, bool]]:
    """Set the switches of the current school and return what changed, {module's value: (old, new)}.

    Nothing is deleted: a module switched on again has all its data. Raises `StaleForm` when another person switched one
    since the form was `opened_on`.
    """
    establishment = queries.lock_current_establishment()
    before = get_switches(establishment)
    changes = differences(before, {**before, **wanted})
    if not changes:
        return {}
    check_fresh(before, opened_on, changes)
    for value, (_old, new) in changes.items():
        setattr(establishment, f"{Module(value).value}_enabled", new)
    db.session.flush()
    record_about_school("establishment:modules:switched", establishment, changes, by=by, now=now)
    return changes
