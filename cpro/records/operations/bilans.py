"""Create, update and delete bilans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cpro.core.concurrency import check_fresh
from cpro.core.errors import check_no_error
from cpro.core.permissions import Actor
from cpro.core.richtext import read_rich
from cpro.extensions import db
from cpro.records import queries
from cpro.records.models import Bilan
from cpro.records.operations import rules


def get_bilan_values(bilan: Bilan) -> dict[str, str]:
    """Return the values of a bilan for its form, {field: text}."""
    return {"starts_on": bilan.starts_on.isoformat(), "ends_on": bilan.ends_on.isoformat(), "body": bilan.body}


def create_bilan(student_id: int, values: Mapping[str, str], *, by: Actor, now: datetime) -> Bilan:
    """Create a bilan of a pupil. Raises `NotFound`, `NotYourPupil`, `Frozen`, `FieldErrors`."""
    student = rules.lock_pupil(student_id)
    rules.check_may_evaluate(student, by)
    bilan = Bilan(**_clean(values), **rules.get_origin_values(student, by=by, now=now))
    db.session.add(bilan)
    rules.record_about_pupil("bilan:created", student, by=by, now=now)
    return bilan


def update_bilan(
    student_id: int, bilan_id: int, values: Mapping[str, str], *, opened_on: str | None, by: Actor, now: datetime
) -> Bilan:
    """Update a bilan, by its author.

    Raises `NotFound`, `NotYourPupil`, `Frozen`, `ReadOnlyCopy`, `NotYours`, `FieldErrors`, `StaleForm`.
    """
    student = rules.lock_pupil(student_id)
    bilan = queries.get_bilan(student_id, bilan_id)
    rules.check_may_change(bilan, student, by)
    clean = _clean(values)
    check_fresh(get_bilan_values(bilan), opened_on)
    for name, value in clean.items():
        setattr(bilan, name, value)
    bilan.changed_at = now
    rules.record_about_pupil("bilan:changed", student, by=by, now=now)
    return bilan


def delete_bilan(student_id: int, bilan_id: int, *, by: Actor, now: datetime) -> None:
    """Delete a bilan, by its author. Raises the same errors as `update_bilan`."""
    student = rules.lock_pupil(student_id)
    bilan = queries.get_bilan(student_id, bilan_id)
    rules.check_may_change(bilan, student, by)
    db.session.delete(bilan)
    rules.record_about_pupil("bilan:deleted", student, by=by, now=now)


def _clean(values: Mapping[str, str]) -> dict[str, Any]:
    errors: dict[str, str] = {}
    first, last = rules.parse_period(values, errors)
    body = read_rich(values, "body", errors)
    if not body:
        errors["body"] = "Écrivez le bilan."
    check_no_error(errors)
    return {"starts_on": first, "ends_on": last, "body": body}
