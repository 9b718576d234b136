"""Who may read and write the records of a pupil: closed by default, one table for pages and operations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cpro.audit.operations import About, record
from cpro.core.errors import DomainError
from cpro.core.formatting import spoken_name
from cpro.core.parsing import read_day
from cpro.core.permissions import Actor, Permission
from cpro.establishments.queries import lock_current_establishment
from cpro.records import queries
from cpro.records.errors import AlreadyValidated, Frozen, NotYourPupil, NotYours, ReadOnlyCopy
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState
from cpro.students.models import Student

#: Earliest accepted date of a pupil's situation.
_OLDEST = date(2000, 1, 1)


@dataclass(frozen=True)
class Powers:
    """What an actor may do with the records of one pupil; `frozen` says why they are read-only, or is None."""

    reads: bool = False
    writes_fiches: bool = False
    #: évaluations, bilans, validation of fiches
    evaluates: bool = False
    frozen: Frozen | None = None


def get_powers(student: Student, by: Actor) -> Powers:
    """Return the powers of an actor over a pupil's records.

    The head and the inspector read (the scope restricts an inspector to the mandate); a teacher reads and writes for
    the pupils of their divisions; a pupil reads their own records and writes their own fiches; others have no power.
    """
    frozen = None if student.is_active else Frozen(student.departed_on)
    if by.can(Permission.SCHOOL_RECORDS_READ):
        return Powers(reads=True, frozen=frozen)
    if by.can(Permission.PUPILS_EVALUATE) and by.id is not None and queries.is_taught_by(student, by.id):
        return Powers(reads=True, writes_fiches=not frozen, evaluates=not frozen, frozen=frozen)
    if by.can(Permission.OWN_RECORDS) and by.id is not None and student.account_id == by.id:
        return Powers(reads=True, writes_fiches=not frozen, frozen=frozen)
    return Powers()


def check_may_read(student: Student, by: Actor) -> Powers:
    """Return what an actor may do with a pupil's records. Raises `NotYourPupil` when they may not read them."""
    powers = get_powers(student, by)
    if not powers.reads:
        raise NotYourPupil
    return powers


def check_may_write_fiches(student: Student, by: Actor) -> None:
    """Raise `NotYourPupil` or `Frozen` unless the actor may write fiches of the pupil."""
    powers = check_may_read(student, by)
    _refuse_without(powers.writes_fiches, powers)


def check_may_evaluate(student: Student, by: Actor) -> None:
    """Raise `NotYourPupil` or `Frozen` unless the actor may evaluate the pupil."""
    powers = check_may_read(student, by)
    _refuse_without(powers.evaluates, powers)


def find_change_refusal(row: Fiche | Evaluation | Bilan, powers: Powers, by: Actor) -> DomainError | None:
    """Return why the actor may neither change nor delete a record, or None: its author may, until it is validated."""
    if powers.frozen:
        return powers.frozen
    if row.received_in is not None:
        return ReadOnlyCopy(row.origin_school)
    if not (powers.writes_fiches if isinstance(row, Fiche) else powers.evaluates):
        return NotYourPupil()
    if row.author_id is None or row.author_id != by.id:
        return NotYours(row.author_label)
    if isinstance(row, Fiche) and row.state is FicheState.VALIDATED:
        return AlreadyValidated(row.validated_by_label)
    return None


def check_may_change(row: Fiche | Evaluation | Bilan, student: Student, by: Actor) -> None:
    """Raise the error that `find_change_refusal` returns, if any; `NotYourPupil` when the actor may not even read."""
    refusal = find_change_refusal(row, check_may_read(student, by), by)
    if refusal is not None:
        raise refusal


def lock_pupil(student_id: int) -> Student:
    """Return the current row of a pupil, who cannot be marked as departed before the commit. Raises `NotFound`.

    The lock is the school's, as for an import and the journal: locks taken in two orders would deadlock.
    """
    lock_current_establishment()
    return queries.get_pupil(student_id)


def get_draft_subject(student_id: int) -> str:
    """Return the subject that drafts about a pupil are stored under (see `core.drafts`)."""
    return f"student:{student_id}"


def get_origin_values(student: Student, *, by: Actor, now: datetime) -> dict[str, Any]:
    """Return the columns set when any kind of record is created: pupil, origin, author, instants."""
    return {
        "student_id": student.id,
        "origin_uid": str(uuid.uuid4()),
        "author_id": by.id,
        "author_label": by.label,
        "created_at": now,
        "changed_at": now,
    }


def record_about_pupil(action: str, student: Student, *, by: Actor, now: datetime) -> None:
    """Record an action on a pupil's records: its kind and the pupil; never the content."""
    record(
        action, About("pupil_records", student.id, spoken_name(student.first_name, student.last_name)), by=by, now=now
    )


# --- What people typed ---------------------------------------------------------------------------------------------


def parse_day(values: Mapping[str, str], name: str, errors: dict[str, str], *, required: str) -> date | None:
    """Parse the day typed as yyyy-mm-dd in field `name`; on failure add an error to `errors` and return None."""
    text = (values.get(name) or "").strip()
    if not text:
        errors[name] = required
        return None
    day = read_day(text)
    if day is None:
        errors[name] = "Cette date n’existe pas : écrivez-la comme 31/01/2027."
        return None
    if not _OLDEST <= day <= date(_OLDEST.year + 99, 12, 31):
        errors[name] = "Vérifiez l’année de cette date."
        return None
    return day


def parse_period(values: Mapping[str, str], errors: dict[str, str]) -> tuple[date | None, date | None]:
    """Parse the first and last day of a period; add failures to `errors`."""
    first = parse_day(values, "starts_on", errors, required="Indiquez le premier jour.")
    last = parse_day(values, "ends_on", errors, required="Indiquez le dernier jour.")
    if first and last and last < first:
        errors["ends_on"] = "Le dernier jour vient avant le premier : vérifiez les deux dates."
    return first, last


def _refuse_without(power: bool, powers: Powers) -> None:
    if power:
        return
    raise powers.frozen or NotYourPupil()
