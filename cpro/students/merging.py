"""The rows of a student who was entered twice: the one that is kept takes what it lacks, the other is emptied.

What else they hold (records, passports, accounts) is moved by the features above: `cpro.people.duplicates`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import case, select

from cpro.core.lists import ListState, Page, find_page_from
from cpro.core.search import find_words
from cpro.extensions import db
from cpro.students.models import Student

#: What the row that is kept takes where it has nothing itself.
_FILLED = ("usage_name", "birth_date", "division_id", "mef_code", "ine", "siecle_id", "local_id")
#: What the other gives up: two rows of a school do not bear one number.
_GIVEN_UP = ("ine", "siecle_id", "local_id")


def find_candidates(asked: ListState, student: Student) -> Page[Student]:
    """Return a page of the other rows of the school that may be the same student: of their family name, or as sought.

    Those born the same day come first.
    """
    words = find_words(Student, asked.search) or find_words(Student, student.last_name)
    found = select(Student).where(Student.id != student.id, Student.merged_into_id.is_(None), *words)
    rank = case((Student.birth_date == student.birth_date, 0), else_=1)
    return find_page_from(asked, found, rank, Student.search_key, Student.id)


def lock_pair(one_id: int, other_id: int) -> None:
    """Lock two rows by id, whom nobody else changes before the commit, and read them anew."""
    db.session.scalars(
        select(Student)
        .where(Student.id.in_((one_id, other_id)))
        .order_by(Student.id)
        .with_for_update(of=Student, key_share=True)
        .execution_options(populate_existing=True)
    ).all()


def list_filled(kept: Student, other: Student) -> dict[str, Any]:
    """Return what the row that is kept takes of the other because it lacks it, {column: value}."""
    filled = {name: getattr(other, name) for name in _FILLED if getattr(other, name) and not getattr(kept, name)}
    if "ine" in filled or "siecle_id" in filled:
        filled["came_by"] = other.came_by  # where the number came from goes with it
    return filled


def hand_over(other: Student, kept: Student, *, today: date) -> bool:
    """Empty a row and point it to the one that is kept; return whether the latter is present again because of it.

    The caller deals with the account of the other, which no other pupil has meanwhile.
    """
    filled = list_filled(kept, other)
    for name in _GIVEN_UP:
        setattr(other, name, None)
    comes_back = other.is_active and not kept.is_active
    other.is_active, other.merged_into_id = False, kept.id
    other.departed_on = other.departed_on or today
    db.session.flush()  # its numbers are free for the other row
    for name, value in filled.items():
        setattr(kept, name, value)
    if comes_back:
        kept.is_active, kept.departed_on = True, None
    db.session.flush()
    return comes_back
