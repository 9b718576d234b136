"""Manual changes of several students at once, outside SIECLE: departure, return, division, course.

Each student gets a journal line of their own: their history is shown on their page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from cpro.audit.operations import About, record
from cpro.core import events
from cpro.core.clock import today_in
from cpro.core.errors import DomainError, FieldErrors, NotFound, check_no_error, refusal_of
from cpro.core.formatting import format_date, of_name, spoken_name
from cpro.core.parsing import read_day
from cpro.core.permissions import Actor
from cpro.core.ticked_rows import check_ticked_rows
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.students.codes import clean_course, clean_division_of
from cpro.students.models import Division, Student
from cpro.students.operations import (
    audit_values,
    carry_diplomas,
    check_not_merged,
    record_change,
    refuse_if_kept_by_siecle,
)
from cpro.students.queries import find_division, kept_since

#: Maximum number of students named by the line of their new division.
_MOST_NAMED = 100


class AlreadySo(DomainError):
    """All the students are already in the requested state."""

    status = 409


def list_students(student_ids: Collection[int]) -> Sequence[Student]:
    """Return students by name. Raises `NoSuchRow` when one of them does not exist in the school, `NoRowTicked`."""
    found = db.session.scalars(
        select(Student).where(Student.id.in_(student_ids)).order_by(Student.search_key, Student.id)
    ).all()
    check_ticked_rows(len(found), student_ids)
    return found


def list_students_of_division(code: str) -> Sequence[Student]:
    """Return the present students of a division by name. Raises `NotFound` when no division has that code."""
    division = find_division(code)
    if division is None:
        raise NotFound("Cette division n’existe pas dans votre établissement.")
    return db.session.scalars(
        select(Student)
        .where(Student.division_id == division.id, Student.is_active)
        .order_by(Student.search_key, Student.id)
    ).all()


def record_departures(
    student_ids: Collection[int], values: Mapping[str, str], *, by: Actor, now: datetime
) -> list[int]:
    """Record the departure of students on a day (`departed_on`); return the ids of those who left by it.

    Those already departed are unchanged. Accounts stay open, as for a departure read from a file. Raises
    `KeptBySIECLE`, `NotFound`, `AlreadySo` when all had left, `FieldErrors`.
    """
    refuse_if_kept_by_siecle()
    day = _clean_departure(values.get("departed_on", ""), get_current_establishment(), now)
    leaving = [student for student in _lock(student_ids) if student.is_active]
    if not leaving:
        raise AlreadySo("Ces élèves sont déjà partis\u202f: rien n’a changé.")
    for student in leaving:
        if student.birth_date and day <= student.birth_date:
            name = spoken_name(student.first_name, student.last_name)
            raise FieldErrors({"departed_on": f"Ce jour précède la naissance {of_name(name)}\u202f: vérifiez l’année."})
        student.is_active, student.departed_on = False, day
        _record("student:departed", student, {"is_active": (True, False), "left_on": ("", day.isoformat())}, by, now)
    ids = [each.id for each in leaving]
    events.presence_changed.send("students", student_ids=ids, by=by, now=now)
    return ids


def record_returns(student_ids: Collection[int], *, by: Actor, now: datetime) -> list[int]:
    """Record the return of departed students, each in their last division; return the ids of those who returned.

    Those who cannot return (`check_return`) are unchanged. Raises `KeptBySIECLE`, `NotFound`, `AlreadySo` when none
    can.
    """
    refuse_if_kept_by_siecle()
    returning = [student for student in _lock(student_ids) if refusal_of(check_return, student) is None]
    if not returning:
        raise AlreadySo("Aucun de ces élèves n’est parti\u202f: rien n’a changé.")
    for student in returning:
        day = student.departed_on.isoformat() if student.departed_on else ""
        student.is_active, student.departed_on = True, None
        _record("student:returned", student, {"is_active": (False, True), "left_on": (day, "")}, by, now)
    ids = [each.id for each in returning]
    events.presence_changed.send("students", student_ids=ids, by=by, now=now)
    return ids


def check_return(student: Student) -> None:
    """Raise `AlreadySo` for a student who has not left, `Merged` for a row merged into another."""
    check_not_merged(student)
    if student.is_active:
        raise AlreadySo("Cet élève n’est pas parti.")


def give_course(student_ids: Collection[int], values: Mapping[str, str], *, by: Actor, now: datetime) -> list[int]:
    """Set the course (`mef_code`) of students, none when it is blank; return the ids of those who changed.

    Their divisions take the diploma to which it leads, as for an import. Raises `KeptBySIECLE`, `NotFound`,
    `FieldErrors`.
    """
    refuse_if_kept_by_siecle()
    errors: dict[str, str] = {}
    code = clean_course(values.get("mef_code", ""), errors)
    check_no_error(errors)
    students = [student for student in _lock(student_ids) if student.merged_into_id is None]
    changed = [student for student in students if student.mef_code != code]
    for student in changed:
        before = audit_values(student)
        student.mef_code = code
        record_change("student:changed", student, before, by=by, now=now)
    carry_diplomas([student.division_id for student in changed], by=by, now=now)
    return [each.id for each in changed]


def change_division(student_ids: Collection[int], values: Mapping[str, str], *, by: Actor, now: datetime) -> list[int]:
    """Put present students in a division (`division`); return the ids of those who changed.

    The division takes the diploma to which their courses lead, as for an import. Raises `KeptBySIECLE`, `NotFound`,
    `FieldErrors`.
    """
    refuse_if_kept_by_siecle()
    errors: dict[str, str] = {}
    division = clean_division_of(values, errors)
    if division is None and not errors:
        errors["division"] = "Choisissez la division."
    check_no_error(errors)
    assert division is not None
    changed = [each for each in _lock(student_ids) if each.is_active and each.division_id != division.id]
    for student in changed:
        before = audit_values(student)
        student.division_id = division.id
        record_change("student:changed", student, before, by=by, now=now)
    if changed:
        _record_arrivals(division, changed, by, now)
        carry_diplomas([division.id], by=by, now=now)
    return [each.id for each in changed]


def earliest_departure(school: Establishment, now: datetime) -> date:
    """Return the first day of departure that may be typed: records of earlier departures would be deleted at night."""
    return kept_since(school.retention_years, today_in(school.timezone, now))


def _clean_departure(text: str, school: Establishment, now: datetime) -> date:
    today, earliest = today_in(school.timezone, now), earliest_departure(school, now)
    day = read_day(text)
    if day is None:
        raise FieldErrors({"departed_on": "Écrivez le jour du départ comme 31/01/2026."})
    if day > today:
        raise FieldErrors({"departed_on": "Ce jour est à venir\u202f: notez le départ le jour venu."})
    if day < earliest:
        raise FieldErrors(
            {
                "departed_on": "Vérifiez l’année\u202f: votre établissement ne garde plus les données de qui est parti "
                f"avant le {format_date(earliest)}, elles seraient supprimées dès cette nuit."
            }
        )
    return day


def _lock(student_ids: Collection[int]) -> Sequence[Student]:
    """Lock students, by id, until the commit, and return them. Raises `NotFound`."""
    list_students(student_ids)
    return db.session.scalars(
        select(Student)
        .where(Student.id.in_(student_ids))
        .order_by(Student.id)
        .with_for_update(of=Student, key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def _record_arrivals(division: Division, students: Sequence[Student], by: Actor, now: datetime) -> None:
    """Record in one line who joined a division: each student's own line names the one they left."""
    names = [
        spoken_name(each.first_name, each.last_name) for each in sorted(students, key=lambda each: each.search_key)
    ]
    listed = [*names[:_MOST_NAMED], *(["…"] if len(names) > _MOST_NAMED else [])]
    changes = {"moved": (None, len(names)), "names": (None, ", ".join(listed))}
    record("division:joined", About("division", division.id, division.code), by=by, now=now, changes=changes)


def _record(action: str, student: Student, changes: Mapping[str, tuple[Any, Any]], by: Actor, now: datetime) -> None:
    about = About("student", student.id, spoken_name(student.first_name, student.last_name))
    record(action, about, by=by, now=now, changes=changes)
