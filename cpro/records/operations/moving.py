"""Move the records of a pupil who was entered twice to the row that is kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from cpro.core.drafts.operations import forget_subjects
from cpro.core.errors import Conflict
from cpro.core.tenancy import scope_of
from cpro.extensions import db
from cpro.records.models import KINDS, Bilan, Evaluation, Fiche
from cpro.records.operations.rules import get_draft_subject
from cpro.students.models import Student


class SameRecordTwice(Conflict):
    """The two pupils cannot be merged: both received the same record of another school."""


def check_movable(source: Student, target: Student) -> None:
    """Raise `SameRecordTwice` when both pupils have copies of one record: neither may be lost."""
    for model in KINDS:
        theirs = select(model.origin_uid).where(model.student_id == target.id)
        if db.session.scalar(select(model.id).where(model.student_id == source.id, model.origin_uid.in_(theirs))):
            raise SameRecordTwice(
                "Les deux fiches d’élève ont reçu une même donnée d’un autre établissement\u202f: elles ne peuvent pas "
                "être réunies. Celle qui est de trop se note partie\u202f; avec SIECLE, l’import suivant le fait."
            )


def move_records(source: Student, target: Student) -> None:
    """Give the records of a pupil to another, in the current session; drafts about the first are deleted.

    What the first pupil's account wrote is attributed to the other's account, if there is one, so that its holder can
    go on editing it. Raises `SameRecordTwice`.
    """
    check_movable(source, target)
    named: Any = db.session.execute(
        select(Evaluation.id, Evaluation.fiche_uid).where(
            Evaluation.student_id == source.id, Evaluation.fiche_uid.is_not(None)
        )
    ).all()
    # An évaluation refers to a fiche of the same pupil: the link is removed while both move.
    _write(update(Evaluation).where(Evaluation.student_id == source.id).values(fiche_uid=None, student_id=target.id))
    for model in (Fiche, Bilan):
        _write(update(model).where(model.student_id == source.id).values(student_id=target.id))
    for evaluation_id, fiche_uid in named:
        _write(update(Evaluation).where(Evaluation.id == evaluation_id).values(fiche_uid=fiche_uid))
    if source.account_id is not None and target.account_id is not None:
        for kind in KINDS:
            whose = (kind.student_id == target.id, kind.author_id == source.account_id)
            _write(update(kind).where(*whose).values(author_id=target.account_id))
    school_id = scope_of(db.session()).establishment_id
    assert school_id is not None
    forget_subjects(db.session(), school_id, [get_draft_subject(source.id)])


def _write(statement: Any) -> None:
    db.session.execute(statement, execution_options={"synchronize_session": False})
