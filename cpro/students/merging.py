"""Merge the rows of a student who was entered twice: the kept row takes what it lacks, the other is emptied.

Their other data (records, passports, accounts) is moved by the features above: `cpro.people.duplicates`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import case, select

from cpro.core.lists import ListState, Page, find_page_from
from cpro.core.search import find_words
from cpro.extensions import db
from cpro.students.models import Student
from cpro.students.operations import is_kept_by_siecle

#: Columns that the kept row takes when its own are empty.
_FILLED = ("usage_name", "birth_date", "division_id", "mef_code", "ine", "siecle_id", "local_id")
#: Those that SIECLE may leave out, and that its imports then keep: of the others it tells even that there is none.
_LEFT_OUT_BY_SIECLE = frozenset({"birth_date", "mef_code", "ine", "local_id"})
#: Columns that the other row gives up: two rows of a school cannot have the same number.
_GIVEN_UP = ("ine", "siecle_id", "local_id")


def is_known_to_siecle(student: Student) -> bool:
    """Return whether SIECLE says who a student is: it knows them, in a school that uses it."""
    return student.siecle_id is not None and is_kept_by_siecle()


def has_candidates(student: Student) -> bool:
    """Return whether other rows may be merged with that of a student: of two known to SIECLE neither may."""
    if not is_known_to_siecle(student):
        return True
    unknown = select(Student.id).where(Student.siecle_id.is_(None), Student.is_unmerged()).limit(1)
    return db.session.scalar(unknown) is not None


def find_candidates(asked: ListState, student: Student) -> Page[Student]:
    """Return a page of the other rows of the school that may be the same student: same family name, or as sought.

    Those with the same birth date come first. For a student known to SIECLE, only rows that it does not know.
    """
    words = find_words(Student, asked.search) or find_words(Student, student.last_name)
    found = select(Student).where(Student.id != student.id, Student.is_unmerged(), *words)
    if is_known_to_siecle(student):
        found = found.where(Student.siecle_id.is_(None))
    rank = case((Student.birth_date == student.birth_date, 0), else_=1)
    return find_page_from(asked, found, rank, Student.search_key, Student.id)


def lock_pair(one_id: int, other_id: int) -> None:
    """Lock two rows by id until the commit, and read them again."""
    db.session.scalars(
        select(Student)
        .where(Student.id.in_((one_id, other_id)))
        .order_by(Student.id)
        .with_for_update(of=Student, key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def list_filled(kept: Student, other: Student) -> dict[str, Any]:
    """Return the values that the kept row takes from the other because it lacks them, {column: value}."""
    filled = {name: getattr(other, name) for name in _FILLED if getattr(other, name) and not getattr(kept, name)}
    if is_known_to_siecle(kept):
        filled = {name: value for name, value in filled.items() if name in _LEFT_OUT_BY_SIECLE}
    if "ine" in filled or "siecle_id" in filled:
        filled["came_by"] = other.came_by  # the origin of the number goes with it
    return filled


def comes_back(kept: Student, other: Student) -> bool:
    """Return whether the kept row becomes present again because the other is; not if SIECLE says that they left."""
    return other.is_active and not kept.is_active and not is_known_to_siecle(kept)


def hand_over(other: Student, kept: Student, *, today: date) -> bool:
    """Empty a row and make it point to the kept one; return whether the latter becomes present again because of it.

    The caller handles the account of the other row, which no other pupil may have meanwhile.
    """
    filled = list_filled(kept, other)
    for name in _GIVEN_UP:
        setattr(other, name, None)
    is_back = comes_back(kept, other)
    other.is_active, other.merged_into_id = False, kept.id
    other.departed_on = other.departed_on or today
    db.session.flush()  # frees its numbers for the other row
    for name, value in filled.items():
        setattr(kept, name, value)
    if is_back:
        kept.is_active, kept.departed_on = True, None
    db.session.flush()
    return is_back
