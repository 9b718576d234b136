"""The ministry's courses (MEF) and the diploma each prepares for: deduced, or corrected manually.

Imports and corrections share one rule: a division prepares for the diploma of its students' courses, when they all lead
to the same one. So linking a course manually has the same immediate effect on divisions as the next import would.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select

from cpro.audit.operations import About, differences, record
from cpro.core.concurrency import check_fresh
from cpro.core.errors import DomainError, check_no_error
from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.core.validators import normalise_mef, read_line
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.students.models import MEF, Diploma, Division, Student
from cpro.students.queries import find_diploma

#: Course (3), specialty (3), order (2), length (1): the part common to the years of one course.
_COURSE_LENGTH = 9
#: A course (first digits of a MEF) of a CAP or of a Bac pro, in one, two or three years, and the prefix of the
#: diploma's code; the next five digits of the MEF end that code (ministry's nomenclature, N_MEF).
_LEVELS = {**dict.fromkeys(("240", "241", "242"), "500"), **dict.fromkeys(("245", "246", "247"), "400")}
#: A course of a replaced diploma: Bac pro MELEC in three years, 40025510 until 2024.
_REPLACED = {"247255103": "40025520"}
_LABEL_LENGTH, _DIPLOMA_LENGTH = 100, 16


class MEFInUse(DomainError):
    """The course cannot be deleted: students follow it."""

    status = 409


# --- The rule ----------------------------------------------------------------------------------------------------


def deduce_diplomas(codes: Collection[str]) -> dict[str, int | None]:
    """Return the diploma of each course: its own link, else that of another year of it, else the national list.

    A known course that the school has left « à rattacher » is not deduced: a person decides.
    """
    known = {code: diploma_id for code, diploma_id in db.session.execute(select(MEF.code, MEF.diploma_id))}
    by_course: dict[str, set[int]] = {}
    for code, diploma_id in known.items():
        if diploma_id is not None:
            by_course.setdefault(code[:_COURSE_LENGTH], set()).add(diploma_id)
    national = _find_national(sorted({_national_code(code) for code in codes}))
    diplomas: dict[str, int | None] = {}
    for code in codes:
        course = code[:_COURSE_LENGTH]
        if code in known:
            diplomas[code] = known[code]
        elif len(by_course.get(course, ())) == 1:
            diplomas[code] = next(iter(by_course[course]))
        else:
            diplomas[code] = national.get(_national_code(code))
    return diplomas


def diploma_of_division(present: int | None, leads_to: Collection[int], *, withdrawn: int | None = None) -> int | None:
    """Return the diploma of a division from those its courses lead to: the only one, else the current one.

    A current one that was only set by a link just `withdrawn` is removed with it.
    """
    if len(leads_to) == 1:
        return next(iter(leads_to))
    return None if present == withdrawn and present not in leads_to else present


def diplomas_of_divisions(*conditions: ColumnElement[bool]) -> dict[int, set[int]]:
    """Return the diplomas to which the courses of the present students lead, by division; divisions without any are
    absent.

    A division takes the only one; when there are several, a person chooses, and imports keep that choice
    (`diploma_of_division`).
    """
    leads_to: dict[int, set[int]] = {}
    rows: Any = db.session.execute(
        select(Student.division_id, MEF.diploma_id)
        .join(MEF, (MEF.code == Student.mef_code) & (MEF.establishment_id == Student.establishment_id))
        .where(Student.is_active, Student.division_id.is_not(None), MEF.diploma_id.is_not(None), *conditions)
        .distinct()
    )
    for division_id, diploma_id in rows:
        leads_to.setdefault(division_id, set()).add(diploma_id)
    return leads_to


# --- Manual corrections ----------------------------------------------------------------------------------------------


def mef_values(mef: MEF, diploma: Diploma | None) -> dict[str, str]:
    """Return a course as a form shows it."""
    return {"label": mef.label, "diploma": diploma.code if diploma else ""}


def list_unlinked_years(mef: MEF) -> Sequence[MEF]:
    """Return the other years of the same course that are « à rattacher », by code."""
    return db.session.scalars(
        select(MEF)
        .where(MEF.code.startswith(mef.code[:_COURSE_LENGTH], autoescape=True), MEF.id != mef.id)
        .where(MEF.diploma_id.is_(None))
        .order_by(MEF.code, MEF.id)
    ).all()


def create_mef(values: Mapping[str, str], *, by: Actor, now: datetime) -> MEF:
    """Create a course that no file has named yet. Raises `FieldErrors`."""
    lock_current_establishment()
    errors: dict[str, str] = {}
    clean = {"code": _clean_code(values, errors), **_clean(values, errors)}
    check_no_error(errors)
    mef = MEF(**clean)
    db.session.add(mef)
    db.session.flush()
    changes = {"code": (None, mef.code), **_audit_changes({"label": "", "diploma_id": None}, clean)}
    _record("mef:created", mef, changes | _carry_to_divisions([mef.code]), by=by, now=now)
    return mef


def update_mef(
    mef: MEF,
    values: Mapping[str, str],
    *,
    links_other_years: bool = False,
    opened_on: str | None,
    by: Actor,
    now: datetime,
) -> None:
    """Update a course and the divisions whose students follow it; on request, also its years not yet linked.

    Raises `FieldErrors`, `StaleForm`.
    """
    lock_current_establishment()
    db.session.refresh(mef, with_for_update={"of": MEF, "key_share": True})
    check_fresh(mef_values(mef, _get_diploma(mef.diploma_id)), opened_on)
    errors: dict[str, str] = {}
    clean = _clean(values, errors)
    check_no_error(errors)
    before = {name: getattr(mef, name) for name in clean}
    others = list_unlinked_years(mef) if links_other_years and clean["diploma_id"] else ()
    mef.label, mef.diploma_id = clean["label"], clean["diploma_id"]
    for other in others:
        other.diploma_id = mef.diploma_id
    db.session.flush()
    changes = _audit_changes(before, clean)
    if others:
        changes["other_years"] = (None, ", ".join(other.code for other in others))
    if not changes:
        return
    codes = [mef.code, *(other.code for other in others)]
    changes |= _carry_to_divisions(codes, withdrawn=before["diploma_id"])
    _record("mef:changed", mef, changes, by=by, now=now)


def delete_mef(mef: MEF, *, by: Actor, now: datetime) -> None:
    """Delete a course that no pupil follows. Raises `MEFInUse`."""
    lock_current_establishment()
    check_mef_deletion(mef)
    _record("mef:deleted", mef, {}, by=by, now=now)
    db.session.delete(mef)
    db.session.flush()


def check_mef_deletion(mef: MEF) -> None:
    """Raise `MEFInUse`, as `delete_mef` does, when a pupil follows the course."""
    followed = select(func.count(Student.id)).where(Student.is_active, Student.mef_code == mef.code)
    count = db.session.scalar(followed) or 0
    if count:
        who = plural(count, "élève suit", "élèves suivent")
        raise MEFInUse(f"{who} cette formation : vous pouvez la rattacher à un autre diplôme, non la supprimer.")


def find_followed(codes: Collection[str]) -> set[str]:
    """Return the courses, among these codes, that pupils follow: those that `check_mef_deletion` refuses to delete."""
    is_followed = exists().where(Student.is_active, Student.mef_code == MEF.code)
    return set(db.session.scalars(select(MEF.code).where(MEF.code.in_(codes), is_followed)))


def _carry_to_divisions(codes: Sequence[str], *, withdrawn: int | None = None) -> dict[str, tuple[Any, Any]]:
    """Set the diploma of the divisions whose students follow these courses; return the audit changes."""
    concerned = select(Student.division_id).where(Student.is_active, Student.mef_code.in_(codes))
    divisions = db.session.scalars(
        select(Division)
        .where(Division.id.in_(concerned))
        .order_by(Division.code)
        .with_for_update(of=Division, key_share=True)
    ).all()
    leads_to = diplomas_of_divisions(Student.division_id.in_(concerned))
    changed = []
    for division in divisions:
        diploma_id = diploma_of_division(division.diploma_id, leads_to.get(division.id, set()), withdrawn=withdrawn)
        if diploma_id != division.diploma_id:
            division.diploma_id = diploma_id
            changed.append(division.code)
    db.session.flush()
    return {"divisions": (None, ", ".join(changed))} if changed else {}


def _clean_code(values: Mapping[str, str], errors: dict[str, str]) -> str:
    try:
        code = normalise_mef(values.get("code") or "")
    except DomainError as refusal:
        errors["code"] = refusal.message
        return ""
    if not code:
        errors["code"] = "Indiquez le code MEF."
    elif db.session.scalar(select(MEF.id).where(MEF.code == code)) is not None:
        errors["code"] = f"La formation {code} est déjà dans la liste."
    return code


def _clean(values: Mapping[str, str], errors: dict[str, str]) -> dict[str, Any]:
    label = read_line(values, "label", _LABEL_LENGTH, errors)
    code = read_line(values, "diploma", _DIPLOMA_LENGTH, errors)
    diploma = find_diploma(code) if code else None
    if code and diploma is None:
        errors["diploma"] = f"Aucun diplôme ne porte le code « {code} » : choisissez dans la liste proposée."
    return {"label": label, "diploma_id": diploma.id if diploma else None}


def _audit_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the changes as stored in an audit line: a diploma by its name."""
    changes = differences({"label": before["label"]}, {"label": after["label"]})
    if before["diploma_id"] != after["diploma_id"]:
        old, new = _get_diploma(before["diploma_id"]), _get_diploma(after["diploma_id"])
        changes["diploma"] = (old.short_label if old else None, new.short_label if new else None)
    return changes


def _get_diploma(diploma_id: int | None) -> Diploma | None:
    return db.session.get(Diploma, diploma_id) if diploma_id is not None else None


def _national_code(mef_code: str) -> str:
    """Return the code of the diploma that a course prepares for, or "" when it cannot be deduced from its code."""
    level = _LEVELS.get(mef_code[:3], "")
    return _REPLACED.get(mef_code[:_COURSE_LENGTH]) or (level and level + mef_code[3:8])


def _find_national(codes: Sequence[str]) -> dict[str, int]:
    rows = db.session.execute(
        select(Diploma.code, Diploma.id).where(Diploma.code.in_(codes), Diploma.establishment_id.is_(None))
    )
    return {code: id_ for code, id_ in rows}


def _record(action: str, mef: MEF, changes: Mapping[str, Any], *, by: Actor, now: datetime) -> None:
    record(action, About("mef", mef.id, mef.code), by=by, now=now, changes=changes)
