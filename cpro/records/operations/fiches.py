"""Create, submit, validate, send back and delete fiches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, check_no_error
from cpro.core.permissions import Actor, Permission
from cpro.core.richtext import read_rich
from cpro.core.validators import read_line
from cpro.extensions import db
from cpro.records import queries
from cpro.records.errors import AlreadyDraft, AlreadyValidated, FicheInUse, NotSubmitted, ReadOnlyCopy
from cpro.records.models import Fiche, FicheState, Place
from cpro.records.operations import rules
from cpro.students.models import Student

_TITLE, _PLACE_NAME = 150, 150  # characters


def get_fiche_values(fiche: Fiche) -> dict[str, str]:
    """Return the values of a fiche for its form, {field: text}."""
    return {
        "title": fiche.title,
        "place": fiche.place.value,
        "place_name": fiche.place_name,
        "starts_on": fiche.starts_on.isoformat(),
        "ends_on": fiche.ends_on.isoformat(),
        "tasks": fiche.tasks,
    }


def get_final_state(by: Actor) -> FicheState:
    """Return the state of a fiche once its author has finished: submitted by a pupil, validated by a teacher."""
    return FicheState.VALIDATED if by.can(Permission.PUPILS_EVALUATE) else FicheState.SUBMITTED


def create_fiche(student_id: int, values: Mapping[str, str], *, is_done: bool, by: Actor, now: datetime) -> Fiche:
    """Create a fiche of a pupil, as a draft unless its author `is_done` (see `get_final_state`).

    Raises `NotFound`, `NotYourPupil`, `Frozen`, `FieldErrors`.
    """
    student = rules.lock_pupil(student_id)
    rules.check_may_write_fiches(student, by)
    fiche = Fiche(**_clean(values), **rules.get_origin_values(student, by=by, now=now), state=FicheState.DRAFT)
    if is_done:
        _complete(fiche, by=by, now=now)
    db.session.add(fiche)
    rules.record_about_pupil("fiche:created", student, by=by, now=now)
    return fiche


def update_fiche(
    student_id: int,
    fiche_id: int,
    values: Mapping[str, str],
    *,
    is_done: bool,
    opened_on: str | None,
    by: Actor,
    now: datetime,
) -> Fiche:
    """Update a fiche, by its author. Saving it as a draft withdraws its submission.

    Raises `NotFound`, `Frozen`, `ReadOnlyCopy`, `NotYours`, `AlreadyValidated`, `FieldErrors`, `StaleForm`.
    """
    student, fiche = _lock(student_id, fiche_id)
    rules.check_may_change(fiche, student, by)
    clean = _clean(values)
    check_fresh(get_fiche_values(fiche), opened_on)
    for name, value in clean.items():
        setattr(fiche, name, value)
    fiche.state, fiche.changed_at = FicheState.DRAFT, now
    if is_done:
        _complete(fiche, by=by, now=now)
    rules.record_about_pupil("fiche:changed", student, by=by, now=now)
    return fiche


def submit_fiche(student_id: int, fiche_id: int, *, by: Actor, now: datetime) -> Fiche:
    """Submit a draft to the teachers, by its author. Raises the same errors as `update_fiche`."""
    student, fiche = _lock(student_id, fiche_id)
    rules.check_may_change(fiche, student, by)
    if fiche.state is FicheState.DRAFT:
        fiche.state, fiche.changed_at = FicheState.SUBMITTED, now
        rules.record_about_pupil("fiche:submitted", student, by=by, now=now)
    return fiche


def validate_fiche(student_id: int, fiche_id: int, *, opened_on: str | None, by: Actor, now: datetime) -> Fiche:
    """Validate a fiche as it was read (`opened_on`), by a teacher of the pupil; its author cannot change it any more.

    Raises `NotFound`, `NotYourPupil`, `Frozen`, `ReadOnlyCopy`, `AlreadyValidated`, `NotSubmitted`, `StaleForm`.
    """
    student, fiche = _lock(student_id, fiche_id)
    rules.check_may_evaluate(student, by)
    refusal = find_validation_refusal(fiche, by)
    if refusal is not None:
        raise refusal
    check_fresh(get_fiche_values(fiche), opened_on)
    _validate(fiche, by=by, now=now)
    rules.record_about_pupil("fiche:validated", student, by=by, now=now)
    return fiche


def send_back_fiche(student_id: int, fiche_id: int, *, by: Actor, now: datetime) -> Fiche:
    """Send a fiche back to its author as a draft, by a teacher of the pupil.

    Raises `NotFound`, `NotYourPupil`, `Frozen`, `ReadOnlyCopy`, `AlreadyDraft`.
    """
    student, fiche = _lock(student_id, fiche_id)
    rules.check_may_evaluate(student, by)
    refusal = find_return_refusal(fiche)
    if refusal is not None:
        raise refusal
    fiche.state, fiche.changed_at = FicheState.DRAFT, now
    fiche.validated_at, fiche.validated_by_label = None, ""
    rules.record_about_pupil("fiche:sent-back", student, by=by, now=now)
    return fiche


def delete_fiche(student_id: int, fiche_id: int, *, by: Actor, now: datetime) -> None:
    """Delete a fiche, by its author. Raises the same errors as `update_fiche`, and `FicheInUse`."""
    student, fiche = _lock(student_id, fiche_id)
    check_deletion(fiche, student, by)
    db.session.delete(fiche)
    rules.record_about_pupil("fiche:deleted", student, by=by, now=now)


def check_deletion(fiche: Fiche, student: Student, by: Actor) -> None:
    """Raise the errors of `delete_fiche` when an actor may not delete a fiche."""
    rules.check_may_change(fiche, student, by)
    evaluations = queries.count_evaluations_of_fiche(fiche)
    if evaluations:
        raise FicheInUse(evaluations)


def find_validation_refusal(fiche: Fiche, by: Actor) -> DomainError | None:
    """Return the error that `validate_fiche` would raise for a teacher of the pupil, or None."""
    if fiche.received_in is not None:
        return ReadOnlyCopy(fiche.origin_school)
    if fiche.state is FicheState.VALIDATED:
        return AlreadyValidated(fiche.validated_by_label)
    if fiche.state is FicheState.DRAFT and fiche.author_id != by.id:
        return NotSubmitted()
    return None


def find_return_refusal(fiche: Fiche) -> DomainError | None:
    """Return the error that `send_back_fiche` would raise for a teacher of the pupil, or None."""
    if fiche.received_in is not None:
        return ReadOnlyCopy(fiche.origin_school)
    return AlreadyDraft() if fiche.state is FicheState.DRAFT else None


def _lock(student_id: int, fiche_id: int) -> tuple[Student, Fiche]:
    student = rules.lock_pupil(student_id)
    return student, queries.get_fiche(student_id, fiche_id)


def _complete(fiche: Fiche, *, by: Actor, now: datetime) -> None:
    if get_final_state(by) is FicheState.VALIDATED:
        _validate(fiche, by=by, now=now)
    else:
        fiche.state = FicheState.SUBMITTED


def _validate(fiche: Fiche, *, by: Actor, now: datetime) -> None:
    fiche.state, fiche.changed_at = FicheState.VALIDATED, now
    fiche.validated_at, fiche.validated_by_label = now, by.label


def _clean(values: Mapping[str, str]) -> dict[str, Any]:
    errors: dict[str, str] = {}
    first, last = rules.parse_period(values, errors)
    clean: dict[str, Any] = {
        "title": read_line(values, "title", _TITLE, errors, required="Donnez un titre à la fiche."),
        "place": _place(values, errors),
        "place_name": read_line(values, "place_name", _PLACE_NAME, errors),
        "starts_on": first,
        "ends_on": last,
        "tasks": read_rich(values, "tasks", errors),
    }
    check_no_error(errors)
    return clean


def _place(values: Mapping[str, str], errors: dict[str, str]) -> Place | None:
    try:
        return Place(values.get("place") or "")
    except ValueError:
        errors["place"] = "Dites où cela s’est passé : au lycée ou au CFA, ou en entreprise."
        return None
