"""Read diplomas and students."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, case, distinct, exists, func, not_, or_, select, union
from sqlalchemy.orm import joinedload

from cpro.core.errors import NotFound
from cpro.core.lists import find_coded, fold_code
from cpro.core.permissions import Permission, Role
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.students.models import MEF, Diploma, Division, Student, TeacherDivision
from cpro.users.models import Account
from cpro.users.queries import is_without_code

#: Years for which a school may keep the records of a departed student, who may still be transferred meanwhile.
RETENTION_CHOICES = (1, 2, 3)
#: PostgreSQL takes none, even to compare.
_NUL = "\x00"


def kept_since(years: int, today: date) -> date:
    """Return the first day of departure whose records are still kept: pupils who left before it have none any more."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28)


def is_past_retention(gone_before: Callable[[date], ColumnElement[bool]], today: date) -> ColumnElement[bool]:
    """Return the condition of what its school keeps no longer, given that of what ended before a day."""
    return or_(
        *(
            and_(Establishment.retention_years == years, gone_before(kept_since(years, today)))
            for years in RETENTION_CHOICES
        )
    )


def list_diplomas() -> Sequence[Diploma]:
    """Return the diplomas the school may use, national and its own, by label."""
    return db.session.scalars(select(Diploma).order_by(Diploma.short_label, Diploma.id)).all()


def find_diploma(code: str) -> Diploma | None:
    """Return the diploma of a code, whatever was typed, the school's own before the national one, or None."""
    if _NUL in code:
        return None
    return db.session.scalars(
        select(Diploma).where(Diploma.code == code).order_by(Diploma.establishment_id.is_(None)).limit(1)
    ).first()


def count_mefs() -> tuple[int, int]:
    """Return how many courses (MEF) the school has, and how many of them are « à rattacher »."""
    total, linked = db.session.execute(select(func.count(MEF.id), func.count(MEF.diploma_id))).one()
    return total, total - linked


def count_unknown_mefs() -> int:
    """Return how many codes of courses present pupils bear that are in no list of the school."""
    known = exists().where(MEF.code == Student.mef_code, MEF.establishment_id == Student.establishment_id)
    counted = select(func.count(distinct(Student.mef_code))).where(
        Student.is_active, Student.mef_code != "", not_(known)
    )
    return db.session.scalar(counted) or 0


def count_divisions_without_course() -> int:
    """Return how many divisions have no diploma and present pupils of whom none bears the code of a course."""
    present = and_(Student.division_id == Division.id, Student.is_active)
    counted = select(func.count(Division.id)).where(
        Division.diploma_id.is_(None),
        exists().where(present),
        not_(exists().where(present, Student.mef_code != "")),
    )
    return db.session.scalar(counted) or 0


def find_division(code: str) -> Division | None:
    """Return the division of a code, whatever was typed, or None."""
    if _NUL in code:
        return None
    return db.session.scalars(select(Division).where(Division.code == code)).one_or_none()


def find_typed_division(text: str) -> Division | None:
    """Return the division of a code that a person typed: exact, else the only one that reads the same, or None."""
    exact = find_division(text)
    if exact is not None:
        return exact
    found = find_coded(Division, text)
    return db.session.get(Division, found[0]) if len(found) == 1 else None


def list_alike(code: str, *, but: int | None = None) -> list[str]:
    """Return the codes of the other divisions that differ from one by case, accents or blanks alone."""
    wanted = [row_id for row_id in find_coded(Division, code) if row_id != but]
    return list(db.session.scalars(select(Division.code).where(Division.id.in_(wanted)).order_by(Division.code)))


def list_division_twins() -> list[list[str]]:
    """Return the codes of divisions with present pupils that read the same, group by group."""
    groups: dict[str, list[str]] = {}
    has_pupils = exists().where(Student.division_id == Division.id, Student.is_active)
    for code in db.session.scalars(select(Division.code).where(has_pupils).order_by(Division.code)):
        groups.setdefault(fold_code(code), []).append(code)
    return [codes for codes in groups.values() if len(codes) > 1]


def find_mef(code: str) -> MEF | None:
    """Return the course of a code, or None."""
    return db.session.scalars(select(MEF).where(MEF.code == code)).one_or_none()


def suggest_courses(limit: int = 50) -> list[tuple[str, str]]:
    """Return code and label of the first courses, to help typing one."""
    rows = db.session.execute(select(MEF.code, MEF.label).order_by(MEF.code).limit(limit))
    return [(code, label) for code, label in rows]


def suggest_divisions(limit: int = 50) -> list[tuple[str, str]]:
    """Return code and label of the first divisions, to help typing one: never a list of everything."""
    rows = db.session.execute(select(Division.code, Division.label).order_by(Division.code).limit(limit))
    return [(code, label) for code, label in rows]


@dataclass(frozen=True)
class DivisionFigures:
    """How many active students a division has, and how many of them have activated their account."""

    code: str
    students: int
    activated: int


def count_accounts_by_division() -> list[DivisionFigures]:
    """Return the figures of each division that has active students, by code."""
    rows = db.session.execute(
        select(Division.code, func.count(Student.id), func.count(Account.activated_at))
        .join(Student, Student.division_id == Division.id)
        .outerjoin(Account, Account.id == Student.account_id)
        .where(Student.is_active)
        .group_by(Division.code)
        .order_by(Division.code)
    )
    return [DivisionFigures(*row) for row in rows]


def list_division_codes_of(account_id: int) -> list[str]:
    """Return the codes of a teacher's divisions, in order."""
    return list(
        db.session.scalars(
            select(Division.code)
            .join(TeacherDivision, TeacherDivision.division_id == Division.id)
            .where(TeacherDivision.account_id == account_id)
            .order_by(Division.code)
        )
    )


def count_active_students() -> int:
    """Return how many students attend the school."""
    return db.session.scalar(select(func.count(Student.id)).where(Student.is_active)) or 0


def list_divisions() -> Sequence[Division]:
    """Return the divisions of the school, by code."""
    return db.session.scalars(select(Division).order_by(Division.code, Division.id)).all()


def get_division(division_id: int) -> Division:
    """Return a division of the school, or raise `NotFound`."""
    found = db.session.get(Division, division_id)
    if found is None:
        raise NotFound("Cette division n’existe pas.")
    return found


def count_in_division(division_id: int) -> tuple[int, int]:
    """Return how many pupils, present or not, and how many teachers have a division."""
    pupils = db.session.scalar(select(func.count(Student.id)).where(Student.division_id == division_id)) or 0
    taught = select(func.count(TeacherDivision.id)).where(TeacherDivision.division_id == division_id)
    return pupils, db.session.scalar(taught) or 0


def list_teacher_divisions(account_id: int) -> Sequence[TeacherDivision]:
    """Return the divisions that a teacher has."""
    return db.session.scalars(
        select(TeacherDivision).where(TeacherDivision.account_id == account_id).order_by(TeacherDivision.id)
    ).all()


def list_accounts_of_division(division_id: int) -> Sequence[Account]:
    """Return the accounts of the active students of a division, by name."""
    return db.session.scalars(
        select(Account)
        .join(Student, (Student.account_id == Account.id) & (Student.establishment_id == Account.establishment_id))
        .where(Student.division_id == division_id, Student.is_active)
        .order_by(Student.search_key, Account.id)
    ).all()


def list_accounts_of_role(role: Role) -> Sequence[Account]:
    """Return the active accounts of a role, pupils by division, then by name."""
    return _by_division(Account.has_role(role))


def list_never_activated() -> Sequence[Account]:
    """Return the active accounts that were never activated, but for heads', by role, division, then name."""
    return _by_division(Account.activated_at.is_(None), ~Account.holds(Permission.SCHOOL_RECORDS_READ))


def list_without_code(now: datetime) -> Sequence[Account]:
    """Return the accounts whose holder has no code to activate it with (`is_without_code`), in the same order."""
    return _by_division(is_without_code(now))


def _by_division(*conditions: ColumnElement[bool]) -> Sequence[Account]:
    return db.session.scalars(
        select(Account)
        .outerjoin(Student, (Student.account_id == Account.id) & (Student.establishment_id == Account.establishment_id))
        .outerjoin(Student.division)
        .where(Account.is_active, *conditions)
        .order_by(Account.role.desc(), Division.code, Account.search_key, Account.id)
    ).all()


def list_accounts(account_ids: Sequence[int]) -> Sequence[Account]:
    """Return the accounts of the school among some ids, by name."""
    return db.session.scalars(
        select(Account).where(Account.id.in_(account_ids)).order_by(Account.last_name, Account.first_name, Account.id)
    ).all()


def divisions_by_account(account_ids: Sequence[int]) -> dict[int, str]:
    """Return the division of the student of each account, {account id: code}; accounts of no student are absent."""
    pairs = db.session.execute(
        select(Student.account_id, Division.code)
        .join(Division, (Division.id == Student.division_id) & (Division.establishment_id == Student.establishment_id))
        .where(Student.account_id.in_(account_ids))
        .order_by(Student.is_active, Student.id)
    )
    return {account_id: code for account_id, code in pairs if account_id is not None}


@dataclass(frozen=True)
class WithoutINE:
    """How many students cannot be transferred for want of an INE."""

    active: int
    departed: int


def count_without_ine(today: date) -> WithoutINE:
    """Return how many students have no INE: the active, and those gone within the retention period, apart."""
    active, departed = db.session.execute(
        select(
            func.coalesce(func.sum(case((Student.is_active, 1), else_=0)), 0),
            func.coalesce(func.sum(case((Student.is_active, 0), else_=1)), 0),
        ).where(*_without_ine(today))
    ).one()
    return WithoutINE(active, departed)


def has_ine(student_ids: Sequence[int]) -> bool:
    """Return whether one of some students has an INE."""
    found = select(Student.id).where(Student.id.in_(student_ids), Student.ine.is_not(None)).limit(1)
    return db.session.scalar(found) is not None


def list_without_ine(today: date, *, limit: int, offset: int = 0) -> Sequence[Student]:
    """Return students without INE with their division: the active first, then by name."""
    return db.session.scalars(
        select(Student)
        .where(*_without_ine(today))
        .options(joinedload(Student.division))
        .order_by(Student.is_active.desc(), Student.search_key, Student.id)
        .limit(limit)
        .offset(offset)
    ).all()


def _without_ine(today: date) -> tuple[ColumnElement[bool], ...]:
    since = kept_since(get_current_establishment().retention_years, today)
    return (
        Student.ine.is_(None),
        Student.merged_into_id.is_(None),
        or_(Student.is_active, Student.departed_on.is_(None), Student.departed_on >= since),
    )


def is_of_division(code: str) -> ColumnElement[bool]:
    """Return the condition of the accounts of a division, its code read as searches read: students' and teachers'."""
    divisions = find_coded(Division, code)
    pupils = select(Student.account_id).where(Student.division_id.in_(divisions), Student.account_id.is_not(None))
    teachers = select(TeacherDivision.account_id).where(TeacherDivision.division_id.in_(divisions))
    return Account.id.in_(union(pupils, teachers))
