"""People's decisions about an analysis: whom doubtful lines are about, and which proposals are applied."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, select

from cpro.core.among import is_among
from cpro.core.errors import check_no_error
from cpro.core.parsing import read_id
from cpro.core.permissions import Actor
from cpro.extensions import db
from cpro.imports.errors import AnalysisSeenChanged, NotToApply
from cpro.imports.models import ImportChange, ImportQuestion, ImportRun, RunState
from cpro.imports.parse.spreadsheet.notes import COLUMN_KEY
from cpro.imports.runs import ticks
from cpro.imports.runs.admission import lock_run
from cpro.imports.runs.lifecycle import get_version, record_about_run
from cpro.imports.runs.listing import list_column_questions


@dataclass(frozen=True)
class Decisions:
    """The decisions shown on an import's page: answers, {question id: answer}, and the ticks among those it shows."""

    answers: Mapping[int, int]
    shown: Collection[int] = ()
    selected: Collection[int] = ()


def keep_decisions(
    run: ImportRun, decisions: Decisions, *, today: date, by: Actor, now: datetime, seen: str | None = None
) -> int:
    """Store all the decisions shown on a page, whichever button was pressed; return the number of new answers.

    `seen` is the version (`get_version`) that the user saw. New answers require a new analysis.
    Raises `NotToApply`, `AnalysisSeenChanged`, and as `answer_questions` does.
    """
    _lock(run)
    if seen is not None and seen != get_version(run):
        raise AnalysisSeenChanged
    if decisions.shown:
        choose_proposals(run, shown=decisions.shown, selected=decisions.selected, today=today, by=by, now=now)
    return answer_questions(run, decisions.answers, by=by, now=now) if decisions.answers else 0


def get_outline(run: ImportRun) -> dict[str, Any]:
    """Return whom an application deactivates, what it requires to be confirmed, and how its columns were read.

    If a new analysis after new answers has the same outline, it changes nothing else that the page did not show.
    """
    gone = {family: run.counts[family]["deactivated"] for family, _type in ticks.FAMILIES}
    columns = {each.key: each.answer for each in list_column_questions(run.id)}
    return {
        "gone": gone,
        "unticked": run.counts["unticked"],
        "needed": run.confirmations_needed,
        "columns": columns,
    }


def answer_questions(run: ImportRun, answers: Mapping[int, int], *, by: Actor, now: datetime) -> int:
    """Store answers, {question id: id of the person meant, 0 for another person}; return the number of new ones.

    A new analysis must follow, which uses them. Raises `NotToApply`, and `FieldErrors` for invalid answers.
    """
    _lock(run)
    questions = {
        question.id: question
        for question in db.session.scalars(
            select(ImportQuestion).where(ImportQuestion.run_id == run.id, ImportQuestion.id.in_(list(answers)))
        )
    }
    errors = {
        (
            questions[question_id].field if question_id in questions else f"question-{question_id}"
        ): "Cette réponse n’est plus proposée : choisissez-en une autre."
        for question_id, answer in answers.items()
        if question_id not in questions or answer not in _choices(questions[question_id])
    }
    check_no_error(errors)
    given = {questions[question_id].key: answer for question_id, answer in answers.items()}
    new = {key: answer for key, answer in given.items() if run.answers.get(key) != answer}
    if new:
        run.answers = {**run.answers, **new}
        people = [answer for key, answer in new.items() if not key.startswith(COLUMN_KEY)]
        same = sum(answer != 0 for answer in people)
        changes = {
            "answers_same": (None, same),
            "answers_other": (None, len(people) - same),
            "answers_columns": (None, len(new) - len(people)),
        }
        record_about_run("answered", run, {name: pair for name, pair in changes.items() if pair[1]}, by=by, now=now)
    return len(new)


def answer_the_obvious(run: ImportRun, *, by: Actor, now: datetime) -> int:
    """Answer « la même personne » to each open question with only one candidate; return how many were answered."""
    _lock(run)
    questions = db.session.scalars(
        select(ImportQuestion).where(
            ImportQuestion.run_id == run.id,
            ImportQuestion.answer.is_(None),
            ImportQuestion.object_type != ImportQuestion.COLUMN,
        )
    ).all()
    answers = {each.id: next(iter(_choices(each) - {0})) for each in questions if len(each.candidates) == 1}
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
    """Tick the proposals `selected` among those `shown`, and untick the others; None means all of them.

    The figures and the required confirmations are updated. Raises `NotToApply`.
    """
    _lock(run)
    before = {family: run.counts[family]["deactivated"] for family, _type in ticks.FAMILIES}
    concerned = (
        ticks.is_proposal(run) if shown is None else and_(ticks.is_proposal(run), is_among(ImportChange.id, shown))
    )
    for is_selected, ids in ((False, None), (True, list(selected))):
        condition = concerned if ids is None else and_(concerned, is_among(ImportChange.id, ids))
        ticks.set_selected(condition, is_selected)
    ticks.count_again(run, today=today)
    changes = {
        f"{family}_deactivated": (before[family], run.counts[family]["deactivated"])
        for family, _type in ticks.FAMILIES
        if before[family] != run.counts[family]["deactivated"]
    }
    if changes:
        record_about_run("chosen", run, changes, by=by, now=now)


def choose_all(run: ImportRun, *, is_selected: bool, today: date, by: Actor, now: datetime) -> None:
    """Tick or untick every proposal of an import. Raises `NotToApply`."""
    wanted: Sequence[int] = ()
    if is_selected:
        wanted = db.session.scalars(select(ImportChange.id).where(ticks.is_proposal(run))).all()
    choose_proposals(run, shown=None, selected=wanted, today=today, by=by, now=now)


def _lock(run: ImportRun) -> None:
    lock_run(run)
    if run.state is not RunState.ANALYSED:
        raise NotToApply


def _choices(question: ImportQuestion) -> set[int]:
    return {0, *filter(None, (read_id(candidate[0]) for candidate in question.candidates))}
