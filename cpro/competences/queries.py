"""Read competences."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.competences.models import Competence
from cpro.core import events
from cpro.core.errors import NotFound
from cpro.core.parsing import read_id
from cpro.extensions import db
from cpro.students.models import Diploma


def get_diploma(diploma_id: int) -> Diploma:
    """Return a diploma, national or the school's own, or raise `NotFound`."""
    found = db.session.get(Diploma, diploma_id)
    if found is None:
        raise NotFound("Ce diplôme n’existe pas, ou n’est pas proposé à votre établissement.")
    return found


def list_competences(diploma_id: int, session: Session | None = None) -> Sequence[Competence]:
    """Return the competences of a diploma, in the order of its list."""
    return (
        (session or db.session)
        .scalars(
            select(Competence).where(Competence.diploma_id == diploma_id).order_by(Competence.position, Competence.id)
        )
        .all()
    )


def list_competences_by_id(ids: Collection[str]) -> Sequence[Competence]:
    """Return the competences of the ids that a form posted, by diploma and order; invalid ids are ignored."""
    wanted = select(Competence).where(Competence.id.in_([each for each in map(read_id, ids) if each is not None]))
    return db.session.scalars(wanted.order_by(Competence.diploma_id, Competence.position, Competence.id)).all()


def count_competences(diploma_id: int) -> int:
    """Return how many competences a diploma has."""
    return db.session.scalar(select(func.count(Competence.id)).where(Competence.diploma_id == diploma_id)) or 0


def find_used(ids: Collection[int]) -> set[int]:
    """Return which of these competences are in use: they are never deleted."""
    answers = events.competences_used.send("competences", ids=frozenset(ids)) if ids else []
    return {each for _listener, used in answers for each in used}
