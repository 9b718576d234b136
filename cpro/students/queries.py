"""Queries on diplomas and students."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, func, literal, or_, select, union, union_all
from sqlalchemy.orm import joinedload

from cpro.core.codes import find_coded, find_named, fold_code
from cpro.core.counts import Counted, count_rows, count_together
from cpro.core.errors import NotFound
from cpro.core.lists import ListState, Page, find_page_from
from cpro.core.permissions import Permission, Role
from cpro.core.tenancy import keep
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.extensions import db
from cpro.students.models import MEF, Diploma, Division, Student, TeacherDivision
from cpro.users.models import Account
from cpro.users.queries import is_without_code

#: Years for which a school may keep the records of a departed student, who may still be transferred meanwhile.
RETENTION_CHOICES = (1, 2, 3)
#: PostgreSQL accepts no NUL character, even in a comparison.
_NUL = "\x00"


def kept_since(years: int, today: date) -> date:
    """Return the first day of departure whose records are still kept: those of earlier departures are deleted."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28)


def is_past_retention(gone_before: Callable[[date], ColumnElement[bool]], today: date) -> ColumnElement[bool]:
    """Return the condition of what is past its school's retention, given the condition of what ended before a day."""
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
    """Return the diploma of a code typed in any form, the school's own before the national one, or None."""
    if _NUL in code:
        return None
    return db.session.scalars(
        select(Diploma).where(Diploma.code == code).order_by(Diploma.establishment_id.is_(None)).limit(1)
    ).first()


def get_short_labels(codes: Collection[str]) -> dict[str, str]:
    """Return the current short labels of diplomas, {code: label}, the school's own before the national one."""
    named = select(Diploma.code, Diploma.short_label).where(Diploma.code.in_(codes))
    return {code: label for code, label in db.session.execute(named.order_by(Diploma.establishment_id.is_not(None)))}


def select_mefs() -> Select[int]:
    """Return the ids of the courses (MEF) of the school."""
    return select(MEF.id)


def select_unlinked_mefs() -> Select[int]:
    """Return the ids of the courses that are « à rattacher »."""
    return select(MEF.id).where(MEF.diploma_id.is_(None))


def select_unknown_mefs() -> Select[str]:
    """Return the codes of courses that present pupils have and that are not in the school's list.

    Each code is found from the previous one, in the index of the courses of present pupils: one entry is read for each.
    """
    followed = select(Student.mef_code).where(Student.is_active).order_by(Student.mef_code).limit(1)
    first = followed.where(Student.mef_code > "")
    codes = select(first.scalar_subquery().label("code")).cte("codes", recursive=True)
    following = followed.where(Student.mef_code > codes.c.code).correlate(codes).scalar_subquery()
    codes = codes.union_all(select(following).where(codes.c.code.is_not(None)))
    return select(codes.c.code).where(codes.c.code.is_not(None), ~exists().where(MEF.code == codes.c.code))


def select_divisions_without_course() -> Select[int]:
    """Return the ids of the divisions without diploma whose present pupils, if any, have no course code."""
    present = select(Student.id).where(Student.division_id == Division.id, _are_present())
    return select(Division.id).where(
        Division.diploma_id.is_(None), present.exists(), ~present.where(Student.mef_code != "").exists()
    )


def select_divisions_with_pupils() -> Select[int]:
    """Return the ids of the divisions that have present pupils."""
    return select(Division.id).where(exists().where(Student.division_id == Division.id, _are_present()))


def select_present_without_division() -> Select[int]:
    """Return the ids of the present pupils who are in no division."""
    return select(Student.id).where(_are_present(), Student.division_id.is_(None), Student.is_unmerged())


def select_departed_since(day: date) -> Select[int]:
    """Return the ids of the pupils who left on a day or later."""
    return select(Student.id).where(~Student.is_active, Student.departed_on >= day, Student.is_unmerged())


def _are_present() -> ColumnElement[bool]:
    """Return the condition of the pupils present, for queries that use a narrower index than that of all pupils
    present.

    `coalesce` prevents SQLite, which has no row statistics, from using the latter.
    """
    return func.coalesce(Student.is_active, false())


def find_division(code: str) -> Division | None:
    """Return the division of a code typed in any form, or None."""
    if _NUL in code:
        return None
    return db.session.scalars(select(Division).where(Division.code == code)).one_or_none()


def find_typed_division(text: str) -> Division | None:
    """Return the division of a code typed by a person: exact match, else the only equivalent code, or None."""
    exact = find_division(text)
    if exact is not None:
        return exact
    found = find_coded(Division, text)
    return db.session.get(Division, found[0]) if len(found) == 1 else None


def list_alike(code: str, *, but: int | None = None) -> list[str]:
    """Return the codes of the other divisions that differ from one only by case, accents or blanks."""
    wanted = [row_id for row_id in find_coded(Division, code) if row_id != but]
    return list(db.session.scalars(select(Division.code).where(Division.id.in_(wanted)).order_by(Division.code)))


def list_division_twins() -> list[list[str]]:
    """Return the equivalent codes of divisions with present pupils, group by group."""
    groups: dict[str, list[str]] = {}
    has_pupils = exists().where(Student.division_id == Division.id, _are_present())
    for code in db.session.scalars(select(Division.code).where(has_pupils).order_by(Division.code)):
        groups.setdefault(fold_code(code), []).append(code)
    return [codes for codes in groups.values() if len(codes) > 1]


def find_mef(code: str) -> MEF | None:
    """Return the course of a code, or None."""
    return db.session.scalars(select(MEF).where(MEF.code == code)).one_or_none()


def offer_courses() -> list[tuple[str, str]]:
    """Return code and label of the courses of the school's list, by code."""
    rows = db.session.execute(select(MEF.code, MEF.label).order_by(MEF.code))
    return [(code, label) for code, label in rows]


def offer_divisions_and_courses() -> dict[str, list[tuple[str, str]]]:
    """Return code and label of the divisions, and of the courses in the school's list or followed by present pupils.

    Both by code, read in one statement, under `division` and `mef`.
    """
    offered: dict[str, list[tuple[str, str]]] = {"division": [], "mef": []}
    for kind, code, label in db.session.execute(_compose_divisions_and_courses()):
        offered[kind].append((code, label))
    return {kind: sorted(each) for kind, each in offered.items()}


@cache
def _compose_divisions_and_courses() -> Any:
    """Return the statement of `offer_divisions_and_courses`, which holds no value and is thus composed once."""
    divisions = select(literal("division"), Division.code, Division.label)
    courses = select(literal("mef"), MEF.code, MEF.label)
    unknown = select_unknown_mefs().subquery()
    borne = select(literal("mef"), unknown.c.code, literal(""))
    return keep(union_all(divisions, courses, borne))


def offer_divisions() -> list[tuple[str, str]]:
    """Return code and label of the divisions of the school, by code."""
    rows = db.session.execute(select(Division.code, Division.label).order_by(Division.code, Division.id))
    return [(code, label) for code, label in rows]


@dataclass(frozen=True)
class DivisionFigures:
    """How many active students a division has, and how many of them have activated their account."""

    code: str
    students: int
    activated: int


def count_accounts_by_division() -> list[DivisionFigures]:
    """Return the figures of each division that has active students, by code; reads all of these students."""
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


def select_active_students() -> Select[int]:
    """Return the ids of the students who attend the school, in the order of their name index."""
    return select(Student.id).where(Student.is_active).order_by(Student.search_key, Student.id)


def count_active_students() -> int:
    """Return how many students attend the school."""
    return count_rows(select_active_students())


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
    """Return how many pupils, present or not, and how many teachers a division has."""
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
    """Return the active accounts never activated, except heads', by role, division, then name."""
    return _by_division(Account.activated_at.is_(None), ~Account.holds(Permission.SCHOOL_RECORDS_READ))


def list_without_code(now: datetime) -> Sequence[Account]:
    """Return the accounts that have no valid activation code (`is_without_code`), in the same order."""
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
    """Return the division of the student of each account, {account id: code}; accounts without student are absent."""
    pairs = db.session.execute(
        select(Student.account_id, Division.code)
        .join(Division, (Division.id == Student.division_id) & (Division.establishment_id == Student.establishment_id))
        .where(Student.account_id.in_(account_ids))
        .order_by(Student.is_active, Student.id)
    )
    return {account_id: code for account_id, code in pairs if account_id is not None}


@dataclass(frozen=True)
class WithoutINE:
    """Number of students who cannot be transferred because they have no INE."""

    active: int
    departed: int


def count_without_ine(today: date) -> WithoutINE:
    """Return how many students have no INE: the active ones, and those departed within the retention period."""
    every = select(Student.id).where(*_without_ine(today)).order_by(Student.search_key, Student.id)
    counts = count_together(
        {"active": Counted(every.where(_are_present())), "departed": Counted(every.where(~_are_present()))}
    )
    return WithoutINE(**counts)


def count_with_ine(today: date) -> tuple[int, int]:
    """Return how many students can be transferred: the active ones with an INE, and the departed ones still kept."""
    since = kept_since(get_current_establishment().retention_years, today)
    every = select(Student.id).where(Student.ine.is_not(None), Student.is_unmerged())
    is_kept = or_(Student.departed_on.is_(None), Student.departed_on >= since)
    counts = count_together(
        {"active": Counted(every.where(_are_present())), "departed": Counted(every.where(~_are_present(), is_kept))}
    )
    return counts["active"], counts["departed"]


def select_active_without_ine() -> Select[int]:
    """Return the ids of the active students without INE, in the order of their name index."""
    return (
        select(Student.id)
        .where(_are_present(), Student.ine.is_(None), Student.is_unmerged())
        .order_by(Student.search_key, Student.id)
    )


def has_ine(student_ids: Sequence[int]) -> bool:
    """Return whether one of some students has an INE."""
    found = select(Student.id).where(Student.id.in_(student_ids), Student.ine.is_not(None)).limit(1)
    return db.session.scalar(found) is not None


def find_without_ine(asked: ListState, today: date) -> Page[Student]:
    """Return a page of the students without INE with their division: the active first, then by name.

    No index has this order: the students without INE are sorted; they are few once a SIECLE file was imported.
    """
    found = select(Student).where(*_without_ine(today)).options(joinedload(Student.division))
    rank = case((Student.is_active, 0), else_=1)
    return find_page_from(asked, found, rank, Student.search_key, Student.id)


def _without_ine(today: date) -> tuple[ColumnElement[bool], ...]:
    since = kept_since(get_current_establishment().retention_years, today)
    return (
        Student.ine.is_(None),
        Student.is_unmerged(),
        or_(_are_present(), Student.departed_on.is_(None), Student.departed_on >= since),
    )


def is_of_division(code: str) -> ColumnElement[bool]:
    """Return the condition of the accounts of a division, its code matched as in searches: students' and teachers'."""
    divisions = find_named(Division, code)
    pupils = select(Student.account_id).where(Student.division_id.in_(divisions), Student.account_id.is_not(None))
    teachers = select(TeacherDivision.account_id).where(TeacherDivision.division_id.in_(divisions))
    return Account.id.in_(union(pupils, teachers))
