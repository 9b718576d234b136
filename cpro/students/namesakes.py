"""Detect whether a pupil about to be created may already exist in the school, when no number identifies them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, select

from cpro.core.validators import fold
from cpro.extensions import db
from cpro.students.models import Student, make_search_key


def may_be_same(born: date | None, known_born: date | None, *, is_present: bool, has_own_number: bool = False) -> bool:
    """Return whether two pupils with the same name may be one person, from their birth dates.

    `has_own_number` says that each has a number of its own: they are then distinct if their birth dates differ or are
    unknown. A departed pupil is a namesake only when the birth date is the same too.
    """
    if born and born == known_born:
        return True
    return not has_own_number and (is_present or born == known_born)


def list_namesakes(last_name: str, first_name: str, born: date | None) -> Sequence[Student]:
    """Return the pupils of the school who may be the one typed in a form, by id."""
    key = make_search_key(last_name, first_name, "")
    named = select(Student).where(Student.is_unmerged(), or_(Student.search_key == key, Student.usage_name != ""))
    return [
        each
        for each in db.session.scalars(named.order_by(Student.id))
        if fold(f"{each.last_name} {each.first_name}") == key
        and may_be_same(born, each.birth_date, is_present=each.is_active)
    ]
