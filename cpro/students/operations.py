"""Create and update students, divisions and a school's own diplomas manually.

Manually means outside SIECLE: in a school that uses it, only its files do this. The INE is never written here. Students
are never deleted; a school's own diploma, or a division, can be deleted as long as nothing uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import About, differences, record
from cpro.core import events
from cpro.core.codes import NOT_IN_CODES
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, FieldErrors, Forbidden, MaybeThere, check_no_error
from cpro.core.formatting import join_french, plural, spoken_name
from cpro.core.parsing import read_day
from cpro.core.permissions import Actor
from cpro.core.validators import clean_person_name, read_line
from cpro.establishments.queries import get_current_establishment, get_school_today, lock_current_establishment
from cpro.extensions import db
from cpro.students.codes import clean_course, clean_division_of
from cpro.students.mefs import diploma_of_division, diplomas_of_divisions
from cpro.students.models import MEF, Diploma, Division, Student
from cpro.students.namesakes import list_namesakes
from cpro.students.queries import (
    count_in_division,
    find_diploma,
    find_division,
    list_alike,
)

_OLDEST_BIRTH = date(1940, 1, 1)
_YOUNGEST_AGE = 11  # years


class KeptBySIECLE(Forbidden):
    """SIECLE's files manage these rows; they cannot be changed manually."""

    message = (
        "Votre établissement utilise SIECLE : élèves et divisions viennent de ses fichiers, "
        "à corriger dans SIECLE puis à importer à nouveau."
    )


class UnknownToSIECLE(KeptBySIECLE):
    """The row, typed by hand or come by a table, cannot be changed in a school that SIECLE's files describe."""

    def __init__(self, student: Student) -> None:
        leaves = " Le prochain import de SIECLE, s’il n’a pas l’élève, propose son départ." if student.is_active else ""
        super().__init__(
            "SIECLE ne connaît pas cette fiche, qui ne se corrige pas ici. S’il connaît cet élève sous une autre, "
            f"«\u202fRéunir un doublon\u202f» la réunit à celle-là.{leaves}"
        )


class NationalDiploma(Forbidden):
    """The diploma is shared by all schools and cannot be changed."""

    message = "Ce diplôme est national : il ne se modifie pas ici. Vous pouvez ajouter les vôtres."


class DiplomaInUse(DomainError):
    """The diploma cannot be deleted: something still refers to it."""

    status = 409


class DivisionInUse(DomainError):
    """The division cannot be deleted: it has, or had, students or teachers."""

    status = 409


class Merged(Forbidden):
    """The row was merged into another and cannot be changed."""

    def __init__(self) -> None:
        super().__init__("Cette fiche était un doublon, réuni à une autre\u202f: c’est l’autre qui se corrige.")


def student_values(student: Student, division: Division | None) -> dict[str, str]:
    """Return a student as a form shows it."""
    return {
        "last_name": student.last_name,
        "usage_name": student.usage_name,
        "first_name": student.first_name,
        "birth_date": student.birth_date.isoformat() if student.birth_date else "",
        "division": division.code if division else "",
        "mef_code": student.mef_code,
    }


def create_student(values: Mapping[str, str], *, confirmed: bool = False, by: Actor, now: datetime) -> Student:
    """Create a student manually.

    `confirmed` says that it is not one of the school's existing students of that name. Raises `KeptBySIECLE`,
    `FieldErrors`, `MaybeThere`.
    """
    refuse_if_kept_by_siecle()
    clean = _clean_student(values, now)
    lock_current_establishment()  # if a form is posted twice, the second request sees the first one's student
    if not confirmed:
        _ask_if_there(clean)
    student = Student(created_at=now, **clean)
    db.session.add(student)
    db.session.flush()
    record_change("student:created", student, {}, by=by, now=now)
    carry_diplomas([student.division_id], by=by, now=now)
    return student


def _ask_if_there(clean: Mapping[str, Any]) -> None:
    found = list_namesakes(clean["last_name"], clean["first_name"], clean["birth_date"])
    if found:
        raise MaybeThere(
            f"{spoken_name(clean['first_name'], clean['last_name'])} : est-ce la même personne qu’un élève que vous "
            "avez déjà ?",
            [each.id for each in found],
        )


def update_student(
    student: Student, values: Mapping[str, str], *, opened_on: str | None, by: Actor, now: datetime
) -> None:
    """Update a student manually. Raises `KeptBySIECLE`, `Merged`, `FieldErrors`, `StaleForm`."""
    check_may_correct(student)
    clean = _clean_student(values, now, own_course=student.mef_code)
    db.session.refresh(student, with_for_update={"of": Student, "key_share": True})  # PostgreSQL locks no outer join
    before = audit_values(student)
    check_fresh(before, opened_on)
    for name, value in clean.items():
        setattr(student, name, value)
    record_change("student:changed", student, before, by=by, now=now)
    after = audit_values(student)
    if any(before[name] != after[name] for name in ("division", "mef_code")):
        carry_diplomas([student.division_id], by=by, now=now)


def check_may_correct(student: Student) -> None:
    """Raise `Merged` or `KeptBySIECLE` if a student is not corrected manually."""
    check_not_merged(student)
    if is_kept_by_siecle():
        raise KeptBySIECLE() if student.siecle_id else UnknownToSIECLE(student)


def check_not_merged(student: Student) -> None:
    """Raise `Merged` for a row that was merged into another."""
    if student.merged_into_id is not None:
        raise Merged


def carry_diplomas(division_ids: Iterable[int | None], *, by: Actor, now: datetime) -> None:
    """Set the diploma of divisions whose present students' courses all lead to one."""
    concerned = sorted({each for each in division_ids if each is not None})
    leads_to = diplomas_of_divisions(Student.division_id.in_(concerned))
    divisions = db.session.scalars(
        select(Division).where(Division.id.in_(leads_to)).order_by(Division.id).with_for_update(key_share=True)
    )
    for division in divisions:
        before = audit_values(division)
        division.diploma_id = diploma_of_division(division.diploma_id, leads_to[division.id])
        record_change("division:changed", division, before, by=by, now=now)


def division_values(division: Division, diploma: Diploma | None) -> dict[str, str]:
    """Return a division as a form shows it."""
    return {"code": division.code, "label": division.label, "diploma": diploma.code if diploma else ""}


def create_division(values: Mapping[str, str], *, by: Actor, now: datetime) -> Division:
    """Create a division manually. Raises `KeptBySIECLE`, `FieldErrors`."""
    refuse_if_kept_by_siecle()
    lock_current_establishment()  # if two people create one code at once, the second is refused
    division = Division(**_clean_division(values, None))
    db.session.add(division)
    db.session.flush()
    record_change("division:created", division, {}, by=by, now=now)
    return division


def update_division(
    division: Division, values: Mapping[str, str], *, opened_on: str | None, by: Actor, now: datetime
) -> None:
    """Update a division manually; with SIECLE, only the diploma of one whose courses lead to several can be set.

    Raises `KeptBySIECLE`, `FieldErrors`, `StaleForm`.
    """
    is_kept = lock_current_establishment().uses_siecle
    leads_to = diplomas_of_divisions(Student.division_id == division.id).get(division.id, set())
    if is_kept and len(leads_to) < 2:
        raise KeptBySIECLE
    db.session.refresh(division, with_for_update={"of": Division, "key_share": True})
    before = audit_values(division)
    check_fresh(before, opened_on)
    from_siecle = {"code": division.code, "label": division.label} if is_kept else {}
    clean = _clean_division({**values, **from_siecle}, division.id)
    if is_kept and clean["diploma_id"] not in (None, *leads_to):
        raise FieldErrors({"diploma": "Choisissez l’un des diplômes que préparent les formations de ses élèves."})
    for name, value in clean.items():
        setattr(division, name, value)
    record_change("division:changed", division, before, by=by, now=now)


def delete_division(division: Division, *, by: Actor, now: datetime) -> None:
    """Delete an empty division. Raises `KeptBySIECLE`, `DivisionInUse`."""
    lock_current_establishment()
    check_division_deletion(division)
    record("division:deleted", About("division", division.id, division.code), by=by, now=now)
    db.session.delete(division)
    try:
        db.session.flush()
    except IntegrityError as error:  # a person was added to it meanwhile
        raise DivisionInUse("Cette division n’est plus vide : elle ne se supprime pas.") from error


def check_division_deletion(division: Division) -> None:
    """Raise the errors of `delete_division`: departed pupils keep their division, and so do merged rows."""
    refuse_if_kept_by_siecle()
    pupils, teachers = count_in_division(division.id)
    counted = ((pupils, ("élève", "élèves")), (teachers, ("enseignant", "enseignants")))
    found = join_french([plural(number, *forms) for number, forms in counted if number])
    if found:
        has = "a" if pupils + teachers == 1 else "ont"
        raise DivisionInUse(
            f"{found} {has} cette division, élèves partis et doublons compris : donnez-leur d’abord la bonne."
        )


def diploma_values(diploma: Diploma) -> dict[str, str]:
    """Return a diploma as a form shows it."""
    return {"code": diploma.code, "label": diploma.label, "short_label": diploma.short_label}


def create_diploma(values: Mapping[str, str], *, by: Actor, now: datetime) -> Diploma:
    """Create a diploma of the school's own. Raises `FieldErrors`."""
    school = lock_current_establishment()
    diploma = Diploma(establishment_id=school.id, **_clean_diploma(values, None))
    db.session.add(diploma)
    db.session.flush()
    record_change("diploma:created", diploma, {}, by=by, now=now)
    return diploma


def update_diploma(
    diploma: Diploma, values: Mapping[str, str], *, opened_on: str | None, by: Actor, now: datetime
) -> None:
    """Update a diploma of the school's own. Raises `NationalDiploma`, `FieldErrors`, `StaleForm`."""
    check_not_national(diploma)
    lock_current_establishment()
    db.session.refresh(diploma, with_for_update={"key_share": True})
    before = audit_values(diploma)
    check_fresh(before, opened_on)
    for name, value in _clean_diploma(values, diploma.id).items():
        setattr(diploma, name, value)
    record_change("diploma:changed", diploma, before, by=by, now=now)


def delete_diploma(diploma: Diploma, *, by: Actor, now: datetime) -> None:
    """Delete a diploma of the school's own. Raises `NationalDiploma`, `DiplomaInUse`.

    Features above that use diplomas (wordings, competences, scenarios…) refuse on `events.diploma_deletion_requested`;
    for the others a foreign key does.
    """
    check_diploma_deletion(diploma)
    record("diploma:deleted", About("diploma", diploma.id, diploma.code), by=by, now=now)
    db.session.delete(diploma)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise DiplomaInUse(
            "Ce diplôme sert encore : à des masques de saisie, à réinitialiser d’abord, ou à un accès inspecteur."
        ) from error


def check_diploma_deletion(diploma: Diploma) -> None:
    """Raise the errors of `delete_diploma` when a diploma cannot be deleted."""
    check_not_national(diploma)
    used_by = db.session.scalar(select(func.count(Division.id)).where(Division.diploma_id == diploma.id)) or 0
    if used_by:
        who = plural(used_by, "division prépare", "divisions préparent")
        raise DiplomaInUse(f"{who} ce diplôme : rattachez-les d’abord à un autre.")
    linked = db.session.scalar(select(func.count(MEF.id)).where(MEF.diploma_id == diploma.id)) or 0
    if linked:
        who = plural(linked, "formation (MEF) est rattachée", "formations (MEF) sont rattachées")
        raise DiplomaInUse(f"{who} à ce diplôme : rattachez-les d’abord à un autre.")
    events.diploma_deletion_requested.send("students", diploma=diploma)


def check_not_national(diploma: Diploma) -> None:
    """Raise `NationalDiploma` for a diploma that all schools share."""
    if diploma.establishment_id is None:
        raise NationalDiploma


def is_kept_by_siecle() -> bool:
    """Return whether the school's students and divisions come from SIECLE."""
    return get_current_establishment().uses_siecle


def refuse_if_kept_by_siecle() -> None:
    """Raise `KeptBySIECLE` in a school whose students and divisions come from SIECLE."""
    if is_kept_by_siecle():
        raise KeptBySIECLE


_read_name = partial(read_line, max_length=100, clean=clean_person_name)


def _clean_student(values: Mapping[str, str], now: datetime, own_course: str = "") -> dict[str, Any]:
    errors: dict[str, str] = {}
    clean: dict[str, Any] = {
        "last_name": _read_name(values, "last_name", errors=errors, required="Indiquez le nom de famille."),
        "usage_name": _read_name(values, "usage_name", errors=errors),
        "first_name": _read_name(values, "first_name", errors=errors, required="Indiquez le prénom."),
        "birth_date": _birth_date(values.get("birth_date", ""), get_school_today(now), errors),
    }
    division = clean_division_of(values, errors)
    clean["division_id"] = division.id if division else None
    clean["mef_code"] = clean_course(values.get("mef_code", ""), errors, own=own_course)
    check_no_error(errors)
    return clean


def _clean_division(values: Mapping[str, str], own_id: int | None) -> dict[str, Any]:
    errors: dict[str, str] = {}
    code = read_line(values, "code", 8, errors, required="Indiquez le code de la division.")
    label = read_line(values, "label", 100, errors)
    namesake = find_division(code) if code else None
    if namesake and namesake.id != own_id:
        errors["code"] = f"Une division porte déjà le code « {code} »."
    elif code and namesake is None and (alike := list_alike(code, but=own_id)):
        errors["code"] = (
            f"La division « {alike[0]} » ne se distingue de ce code que par {NOT_IN_CODES} : "
            "gardez-la, ou choisissez un code qu’on ne confonde pas."
        )
    diploma_code = read_line(values, "diploma", 16, errors)
    diploma = find_diploma(diploma_code) if diploma_code else None
    if diploma_code and diploma is None and "diploma" not in errors:
        errors["diploma"] = f"Aucun diplôme ne porte le code « {diploma_code} » : choisissez dans la liste proposée."
    check_no_error(errors)
    return {"code": code, "label": label, "diploma_id": diploma.id if diploma else None}


def _clean_diploma(values: Mapping[str, str], own_id: int | None) -> dict[str, str]:
    errors: dict[str, str] = {}
    clean = {
        "code": read_line(values, "code", 16, errors, required="Indiquez un code.").upper(),
        "label": read_line(values, "label", 150, errors, required="Indiquez l’intitulé complet."),
        "short_label": read_line(values, "short_label", 60, errors, required="Indiquez l’intitulé court."),
    }
    namesake = find_diploma(clean["code"]) if clean["code"] else None
    if namesake and namesake.id != own_id:
        errors["code"] = f"Un diplôme porte déjà le code « {clean['code']} »."
    check_no_error(errors)
    return clean


def _birth_date(text: str, today: date, errors: dict[str, str]) -> date | None:
    if not text:
        return None
    born = read_day(text)
    if born is None:
        errors["birth_date"] = "Écrivez la date de naissance comme 31/01/2009."
        return None
    if not _OLDEST_BIRTH <= born <= today.replace(year=today.year - _YOUNGEST_AGE, day=min(today.day, 28)):
        errors["birth_date"] = "Cette date de naissance n’est pas celle d’un élève : vérifiez l’année."
    return born


def audit_values(row: Student | Division | Diploma) -> dict[str, str]:
    """Return a row as shown in its form and the journal: references by code."""
    if isinstance(row, Student):
        return student_values(row, db.session.get(Division, row.division_id) if row.division_id else None)
    if isinstance(row, Division):
        return division_values(row, db.session.get(Diploma, row.diploma_id) if row.diploma_id else None)
    return diploma_values(row)


def record_change(
    action: str, row: Student | Division | Diploma, before: Mapping[str, str], *, by: Actor, now: datetime
) -> None:
    """Record an action; an update that changed nothing is not recorded."""
    changes = differences(before, audit_values(row))
    if before and not changes:
        return
    label = spoken_name(row.first_name, row.last_name) if isinstance(row, Student) else row.code
    record(action, About(type(row).__name__.lower(), row.id, label), by=by, now=now, changes=changes)
