"""The school's own pupils of whom its transfers speak."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from cpro.extensions import db
from cpro.students.models import Student
from cpro.transfers.models import TransferSide


def find_pupil(side: TransferSide) -> Student | None:
    """Return the school's own pupil of a side, or None while it has none."""
    return db.session.get(Student, side.student_id) if side.student_id else None


def list_chosen(ids: Sequence[int], *, present: bool) -> Sequence[Student]:
    """Return the pupils of the school among some ids, all present or all departed, by name."""
    return db.session.scalars(
        select(Student)
        .where(Student.id.in_(ids), Student.is_active if present else ~Student.is_active)
        .order_by(Student.search_key, Student.id)
    ).all()
