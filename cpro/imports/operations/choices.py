"""What people decide about an analysis: whom doubtful lines are about, and which proposals are done."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from cpro.core.errors import FieldErrors
from cpro.core.permissions import Actor
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.imports.analysis.confirmations import list_confirmations
from cpro.imports.models import ChangeAction, ImportChange, ImportQuestion, ImportRun, RunKind, RunState
from cpro.imports.operations.runs import record_about_run
from cpro.imports.refusals import NotToApply

_FAMILIES = (("students", "student"), ("staff", "account"))


def answer_questions(run: ImportRun, answers: Mapping[int, int], *, by: Actor, now: datetime) -> int:
    """Keep answers, {question's id: id of the person meant, 0 for somebody else}; return how many are new.

    A new analysis must follow, which goes by them. Raises `NotToApply`, and `FieldErrors` for what is no answer.
    """
    _lock(run)
    questions = {
        question.id: question
        for question in db.session.scalars(
            select(ImportQuestion).where(ImportQuestion.run_id == run.id, ImportQuestion.id.in_(list(answers)))
        )
    }
    errors = {
        f"question-{question_id}": "Cette réponse n’est plus proposée : choisissez-en une autre."
        for question_id, answer in answers.items()
        if question_id not in questions or answer not in _choices(questions[question_id])
    }
    if errors:
        raise FieldErrors(errors)
    given = {questions[question_id].key: answer for question_id, answer in answers.items()}
    new = {key: answer for key, answer in given.items() if run.answers.get(key) != answer}
    if new:
        run.answers = {**run.answers, **new}
        same = sum(answer != 0 for answer in new.values())
        told = {"answers_same": (None, same), "answers_other": (None, len(new) - same)}
        record_about_run("answered", run, {name: pair for name, pair in told.items() if pair[1]}, by=by, now=now)
    return len(new)


def answer_the_obvious(run: ImportRun, *, by: Actor, now: datetime) -> int:
    """Answer « la même personne » to each open question that names one person only; return how many were."""
    _lock(run)
    questions = db.session.scalars(
        select(ImportQuestion).where(ImportQuestion.run_id == run.id, ImportQuestion.answer.is_(None))
    ).all()
    answers = {each.id: int(each.candidates[0][0]) for each in questions if len(each.candidates) == 1}
    return answer_questions(run, answers, by=by, now=now)


def choose_proposals(
    run: ImportRun,
    *,
    shown: Collection[int] | None,
    selected: Collection[int],
    today: date,
    by: Actor,
    now: datetime,
) -> None:
    """Tick the proposals `selected` among those `shown`, and untick the others; None stands for all of them.

    The figures and what must be confirmed follow. Raises `NotToApply`.
    """
    _lock(run)
    before = {family: run.counts[family]["deactivated"] for family, _type in _FAMILIES}
    concerned = is_proposal(run) if shown is None else and_(is_proposal(run), ImportChange.id.in_(list(shown)))
    for is_selected, ids in ((False, None), (True, list(selected))):
        condition = concerned if ids is None else and_(concerned, ImportChange.id.in_(ids))
        _set_selected(condition, is_selected)
    _count_again(run, today)
    told = {
        f"{family}_deactivated": (before[family], run.counts[family]["deactivated"])
        for family, _type in _FAMILIES
        if before[family] != run.counts[family]["deactivated"]
    }
    if told:
        record_about_run("chosen", run, told, by=by, now=now)


def choose_all(run: ImportRun, *, is_selected: bool, today: date, by: Actor, now: datetime) -> None:
    """Tick every proposal of an import, or none. Raises `NotToApply`."""
    wanted: Sequence[int] = ()
    if is_selected:
        wanted = db.session.scalars(select(ImportChange.id).where(is_proposal(run))).all()
    choose_proposals(run, shown=None, selected=wanted, today=today, by=by, now=now)


def is_proposal(run: ImportRun) -> ColumnElement[bool]:
    """Return the condition of the deactivations that a person ticks: of staff, and of pupils whom a table omits."""
    types = ["account"] if run.kind is RunKind.SIECLE else ["account", "student"]
    return and_(
        ImportChange.run_id == run.id,
        ImportChange.object_type.in_(types),
        ImportChange.action_value == ChangeAction.DEACTIVATE.value,
    )


def _lock(run: ImportRun) -> None:
    lock_current_establishment()
    db.session.refresh(run)
    if run.state is not RunState.ANALYSED:
        raise NotToApply


def _choices(question: ImportQuestion) -> set[int]:
    return {0, *(int(candidate[0]) for candidate in question.candidates)}


def _set_selected(condition: ColumnElement[bool], is_selected: bool) -> None:
    db.session.execute(
        update(ImportChange).where(condition).values(is_selected=is_selected),
        execution_options={"synchronize_session": False},
    )


def _count_again(run: ImportRun, today: date) -> None:
    rows = db.session.execute(
        select(ImportChange.object_type, ImportChange.is_selected, func.count(ImportChange.id))
        .where(
            ImportChange.run_id == run.id,
            or_(ImportChange.object_type == "student", ImportChange.object_type == "account"),
            ImportChange.action_value == ChangeAction.DEACTIVATE.value,
        )
        .group_by(ImportChange.object_type, ImportChange.is_selected)
    )
    numbers = {(object_type, is_selected): number for object_type, is_selected, number in rows}
    counts = {**run.counts, "unticked": dict(run.counts["unticked"])}
    for family, object_type in _FAMILIES:
        counts[family] = {**counts[family], "deactivated": numbers.get((object_type, True), 0)}
        counts["unticked"][family] = numbers.get((object_type, False), 0)
    run.counts = counts
    run.confirmations_needed = list_confirmations(counts, school_year=run.school_year, today=today)
    db.session.flush()
