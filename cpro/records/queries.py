"""Queries on pupils and their records: always a fixed number of statements, however many rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Cast, ColumnElement, Select, String, func, literal, select, union_all
from sqlalchemy.orm import joinedload

from cpro.core.among import is_among
from cpro.core.codes import find_named
from cpro.core.counts import count_rows
from cpro.core.errors import NotFound
from cpro.core.lists import Beside, ListState, Page, find_beside, find_page_from
from cpro.core.search import find_words
from cpro.extensions import db
from cpro.records.models import KINDS, Bilan, Evaluation, Fiche, FicheState
from cpro.students.models import Division, Student, TeacherDivision

Row = TypeVar("Row", Fiche, Evaluation, Bilan)

#: Pupils present, and departed pupils.
PRESENT, GONE, ALL, TO_VALIDATE = "presents", "partis", "tous", "a-valider"
#: Pupils present without any level given this month.
NOT_EVALUATED = "sans-evaluation"


@dataclass(frozen=True)
class PupilFilter:
    """Filter of a list of pupils; `division_ids` None means every division, `since` is the first day of the month."""

    division_ids: frozenset[int] | None = None
    division: str = ""
    words: str = ""
    situation: str = PRESENT
    since: date | None = None


@dataclass(frozen=True)
class Figures:
    """How many records a pupil has."""

    fiches: int = 0
    to_validate: int = 0
    evaluations: int = 0
    bilans: int = 0

    @property
    def total(self) -> int:
        """Return the total of the three kinds."""
        return self.fiches + self.evaluations + self.bilans


@dataclass(frozen=True)
class LevelPoint:
    """One level given to a competence on a day."""

    diploma_code: str
    diploma_label: str
    competence_code: str
    competence_label: str
    evaluated_on: date
    level: int


def get_pupil(student_id: int) -> Student:
    """Return a pupil with their division and its diploma, or raise `NotFound`."""
    found = db.session.scalars(
        select(Student)
        .where(Student.id == student_id)
        .options(joinedload(Student.division).options(joinedload(Division.diploma)))
    ).one_or_none()
    if found is None:
        raise NotFound("Cet apprenant n’existe pas.")
    return found


def find_own_pupil(account_id: int) -> Student | None:
    """Return the pupil who signs in with an account, the present one before departed ones, or None."""
    return db.session.scalars(
        select(Student)
        .where(Student.account_id == account_id)
        .options(joinedload(Student.division).options(joinedload(Division.diploma)))
        .order_by(Student.is_active.desc(), Student.id.desc())
        .limit(1)
    ).first()


def is_taught_by(student: Student, account_id: int) -> bool:
    """Return whether a pupil is, or was when they left, in a division of a teacher."""
    if student.division_id is None:
        return False
    found = select(TeacherDivision.id).where(
        TeacherDivision.account_id == account_id, TeacherDivision.division_id == student.division_id
    )
    return db.session.scalar(found) is not None


def list_divisions_of(account_id: int) -> Sequence[Division]:
    """Return a teacher's divisions with their diplomas, by code."""
    mine = select(TeacherDivision.division_id).where(TeacherDivision.account_id == account_id)
    return db.session.scalars(
        select(Division).where(Division.id.in_(mine)).options(joinedload(Division.diploma)).order_by(Division.code)
    ).all()


def select_journal_ids_of_divisions(account_id: ColumnElement[int]) -> Select[str]:
    """Return the ids, as the journal writes them, of a teacher's divisions."""
    return select(Cast(TeacherDivision.division_id, String)).where(TeacherDivision.account_id == account_id)


#: Columns of the list.
_DIVISIONS = (joinedload(Student.division).options(joinedload(Division.diploma)),)


def find_pupils(asked: ListState, wanted: PupilFilter) -> Page[Student]:
    """Return a page of pupils with their division and diploma: by division then by name for a teacher, else by name.

    Only a teacher's pupils are few enough to be sorted; no index has that order.
    """
    found, order, place_of = _order_pupils(wanted)
    return find_page_from(asked, found.options(*_DIVISIONS), *order, place_of=place_of, by_name=place_of is None)


def find_pupils_beside(asked: ListState, wanted: PupilFilter, student_id: int) -> Beside:
    """Return the pupils before and after one in a list, and the list at a page that shows them; see `find_pupils`."""
    found, order, place_of = _order_pupils(wanted)
    return find_beside(asked, found, *order, row_id=student_id, place_of=place_of, by_name=place_of is None)


def _order_pupils(
    wanted: PupilFilter,
) -> tuple[Select[Any], Sequence[Any], Callable[[int], Sequence[Any] | None] | None]:
    """Return a list's statement, its order, and how to get a pupil's place when the order uses other tables.

    Only pupils of the teacher's divisions have a place: another's would tell where they sort.
    """
    found = _pupils(wanted)
    if wanted.division_ids is None:
        return found, (Student.search_key, Student.id), None
    order = (Division.code, Student.search_key, Student.id)

    def place_of(student_id: int) -> Sequence[Any] | None:
        # Without the filters: a pupil who has left the list since the page was shown still has a place in it.
        shown = _pupils(PupilFilter(wanted.division_ids, situation=ALL)).where(Student.id == student_id)
        place = shown.join(Division, Student.division_id == Division.id).with_only_columns(*order)
        return db.session.execute(place).one_or_none()

    return found.join(Division, Student.division_id == Division.id), order, place_of


def count_pupils(wanted: PupilFilter) -> int:
    """Return the total number of pupils in a list."""
    found = _pupils(wanted).with_only_columns(Student.id)
    return count_rows(found.order_by(Student.search_key, Student.id))


def list_present_of_division(division_id: int) -> Sequence[Student]:
    """Return the pupils present in a division, by name."""
    return db.session.scalars(
        select(Student)
        .where(Student.division_id == division_id, Student.is_active)
        .order_by(Student.search_key, Student.id)
    ).all()


def count_records(student_ids: Collection[int]) -> Mapping[int, Figures]:
    """Return the number of records of pupils, {pupil id: figures}; pupils without any are absent. One statement."""
    if not student_ids:
        return {}
    counted = (
        _counted(Fiche, "fiches", student_ids),
        _counted(Fiche, "to_validate", student_ids, *_in_state(FicheState.SUBMITTED)),
        _counted(Evaluation, "evaluations", student_ids),
        _counted(Bilan, "bilans", student_ids),
    )
    found: dict[int, dict[str, int]] = {}
    for student_id, name, count in db.session.execute(union_all(*counted)):
        found.setdefault(student_id, {})[name] = count
    return {student_id: Figures(**counts) for student_id, counts in found.items()}


def get_last_changes(student_ids: Collection[int]) -> Mapping[int, datetime]:
    """Return the last change of each pupil's records, {pupil id: instant}; pupils without records are absent."""
    found: dict[int, datetime] = {}
    for model in KINDS if student_ids else ():
        latest = (
            select(model.student_id, func.max(model.changed_at))
            .where(is_among(model.student_id, student_ids))
            .group_by(model.student_id)
        )
        for student_id, changed_at in db.session.execute(latest):
            found[student_id] = max(changed_at, found.get(student_id, changed_at))
    return found


def not_evaluated_since(day: date) -> ColumnElement[bool]:
    """Return the condition of the pupils who were given no level since a day."""
    # Written so that no index by day is used: the query concerns a few pupils, a day has évaluations of everyone.
    since = func.coalesce(Evaluation.evaluated_on, day) >= day
    return ~select(Evaluation.id).where(Evaluation.student_id == Student.id, since).exists()


def list_students_with_records(student_ids: Collection[int], *, since: datetime | None = None) -> set[int]:
    """Return the ids, among `student_ids`, of pupils with records of the school, changed `since` an instant if given.

    Copies made by a transfer do not count.
    """
    found: set[int] = set()
    for model in KINDS:
        written = [model.changed_at >= since] if since else []
        found |= set(
            db.session.scalars(
                select(model.student_id).where(
                    is_among(model.student_id, student_ids), model.received_in.is_(None), *written
                )
            )
        )
    return found


def find_evaluated(competence_ids: Collection[int]) -> set[int]:
    """Return which of these competences are named by an évaluation of the school."""
    named = select(Evaluation.competence_id).where(Evaluation.competence_id.in_(competence_ids)).distinct()
    return {each for each in db.session.scalars(named) if each is not None}


# --- One pupil's ---------------------------------------------------------------------------------------------------


def list_fiches(
    student_id: int, *, state: FicheState | None = None, limit: int | None = None, offset: int = 0
) -> Sequence[Fiche]:
    """Return a pupil's fiches, the latest situation first; in one state if asked."""
    return db.session.scalars(
        select(Fiche)
        .where(Fiche.student_id == student_id, *_in_state(state))
        .order_by(Fiche.ends_on.desc(), Fiche.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def count_fiches(student_id: int, *, state: FicheState | None = None) -> int:
    """Return how many fiches a pupil has, in one state if asked."""
    return db.session.scalar(select(func.count(Fiche.id)).where(Fiche.student_id == student_id, *_in_state(state))) or 0


def list_evaluations(
    student_id: int, *, competence: str = "", limit: int | None = None, offset: int = 0
) -> Sequence[Evaluation]:
    """Return a pupil's évaluations, latest first; of one competence (its code) if asked."""
    return db.session.scalars(
        select(Evaluation)
        .where(Evaluation.student_id == student_id, *_of_competence(competence))
        .order_by(Evaluation.evaluated_on.desc(), Evaluation.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def count_evaluations(student_id: int, *, competence: str = "") -> int:
    """Return how many évaluations a pupil has, of one competence if asked."""
    return (
        db.session.scalar(
            select(func.count(Evaluation.id)).where(Evaluation.student_id == student_id, *_of_competence(competence))
        )
        or 0
    )


def list_levels(student_id: int) -> list[LevelPoint]:
    """Return every level given to a pupil, oldest first within each competence, with the names used that day."""
    rows = db.session.execute(
        select(
            Evaluation.diploma_code,
            Evaluation.diploma_label,
            Evaluation.competence_code,
            Evaluation.competence_label,
            Evaluation.evaluated_on,
            Evaluation.level,
        )
        .where(Evaluation.student_id == student_id)
        .order_by(Evaluation.diploma_code, Evaluation.evaluated_on, Evaluation.id)
    )
    return [LevelPoint(*row) for row in rows]


def list_bilans(student_id: int, *, limit: int | None = None, offset: int = 0) -> Sequence[Bilan]:
    """Return a pupil's bilans, the latest period first."""
    return db.session.scalars(
        select(Bilan)
        .where(Bilan.student_id == student_id)
        .order_by(Bilan.ends_on.desc(), Bilan.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def list_fiches_by_origin(student_id: int) -> Mapping[str, Fiche]:
    """Return a pupil's fiches, latest first, {origin: fiche}; évaluations refer to fiches by origin."""
    return {fiche.origin_uid: fiche for fiche in list_fiches(student_id)}


def get_fiche(student_id: int, fiche_id: int) -> Fiche:
    """Return a fiche of a pupil, or raise `NotFound`."""
    return _get(Fiche, student_id, fiche_id, "Cette fiche n’existe pas, ou n’existe plus.")


def get_evaluation(student_id: int, evaluation_id: int) -> Evaluation:
    """Return an évaluation of a pupil, or raise `NotFound`."""
    return _get(Evaluation, student_id, evaluation_id, "Cette évaluation n’existe pas, ou n’existe plus.")


def get_bilan(student_id: int, bilan_id: int) -> Bilan:
    """Return a bilan of a pupil, or raise `NotFound`."""
    return _get(Bilan, student_id, bilan_id, "Ce bilan n’existe pas, ou n’existe plus.")


def count_evaluations_of_fiche(fiche: Fiche) -> int:
    """Return how many évaluations refer to a fiche."""
    return (
        db.session.scalar(
            select(func.count(Evaluation.id)).where(
                Evaluation.student_id == fiche.student_id, Evaluation.fiche_uid == fiche.origin_uid
            )
        )
        or 0
    )


def _get(model: type[Row], student_id: int, row_id: int, missing: str) -> Row:
    found = db.session.scalars(select(model).where(model.id == row_id, model.student_id == student_id)).one_or_none()
    if found is None:
        raise NotFound(missing)
    return found


def _pupils(wanted: PupilFilter) -> Select[Student]:
    statement = select(Student).where(Student.is_unmerged())
    if wanted.division_ids is not None:
        statement = statement.where(Student.division_id.in_(wanted.division_ids))
    if wanted.division:
        statement = statement.where(Student.division_id.in_(find_named(Division, wanted.division)))
    if wanted.situation != ALL:
        statement = statement.where(Student.is_active.is_(wanted.situation != GONE))
    if wanted.situation == TO_VALIDATE:
        submitted = select(Fiche.student_id).where(Fiche.state == FicheState.SUBMITTED)
        statement = statement.where(Student.id.in_(submitted))
    if wanted.situation == NOT_EVALUATED and wanted.since is not None:
        statement = statement.where(not_evaluated_since(wanted.since))
    return statement.where(*find_words(Student, wanted.words))


def _counted(
    model: type[Fiche | Evaluation | Bilan], name: str, student_ids: Collection[int], *conditions: ColumnElement[bool]
) -> Select[int, str, int]:
    return (
        select(model.student_id, literal(name), func.count(model.id))
        .where(is_among(model.student_id, student_ids), *conditions)
        .group_by(model.student_id)
    )


def _in_state(state: FicheState | None) -> list[ColumnElement[bool]]:
    return [Fiche.state == state] if state else []


def _of_competence(code: str) -> list[ColumnElement[bool]]:
    return [Evaluation.competence_code == code] if code else []
