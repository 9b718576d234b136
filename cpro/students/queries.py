"""Read diplomas and students."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import joinedload

from cpro.extensions import db
from cpro.students.models import Diploma, Student

#: Years the records of a departed student are kept (product.md §3: those may still be transferred).
RETENTION_YEARS = 3


def list_diplomas() -> Sequence[Diploma]:
    """Return the diplomas the school may use, national and its own, by label."""
    return db.session.scalars(select(Diploma).order_by(Diploma.short_label, Diploma.id)).all()


def find_diploma(code: str) -> Diploma | None:
    """Return the diploma of a code, the school's own before the national one, or None."""
    return db.session.scalars(
        select(Diploma).where(Diploma.code == code).order_by(Diploma.establishment_id.is_(None)).limit(1)
    ).first()


def count_active_students() -> int:
    """Return how many students attend the school."""
    return db.session.scalar(select(func.count(Student.id)).where(Student.is_active)) or 0


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
    since = date(today.year - RETENTION_YEARS, today.month, min(today.day, 28))
    return (
        Student.ine.is_(None),
        or_(Student.is_active, Student.left_on.is_(None), Student.left_on >= since),
    )
