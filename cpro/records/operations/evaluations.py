"""Evaluate a pupil, or a whole division; update and delete an évaluation."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from cpro.audit.operations import About, record
from cpro.competences.models import Competence
from cpro.competences.queries import list_competences
from cpro.core.bulk_writes import bulk_insert
from cpro.core.clock import first_day_of_school_year
from cpro.core.concurrency import check_fresh
from cpro.core.errors import check_no_error
from cpro.core.formatting import format_date, plural
from cpro.core.permissions import Actor, Permission
from cpro.establishments.queries import get_school_today, lock_current_establishment
from cpro.extensions import db
from cpro.records import choices, queries
from cpro.records.errors import NotYourDivision
from cpro.records.models import Evaluation, Level
from cpro.records.operations import rules
from cpro.scenarios.models import Scenario
from cpro.students.models import Diploma, Division, Student
from cpro.students.queries import list_teacher_divisions

Row = TypeVar("Row", Competence, Scenario)

NO_LONGER_IN_DIVISION = "Cet apprenant n’est plus dans la division\u202f: il n’est pas évalué."


def get_evaluation_values(evaluation: Evaluation) -> dict[str, str]:
    """Return the values of an évaluation for its form, {field: text}."""
    return {
        "competence": str(evaluation.competence_id or ""),
        "level": str(evaluation.level),
        "evaluated_on": evaluation.evaluated_on.isoformat(),
        "scenario": str(evaluation.scenario_id or ""),
        "fiche": evaluation.fiche_uid or "",
    }


def create_evaluation(student_id: int, values: Mapping[str, str], *, by: Actor, now: datetime) -> Evaluation:
    """Give a pupil a level in a competence of the diploma they prepare for.

    `values`: competence and scenario by id, level 1 to 4, evaluated_on yyyy-mm-dd, fiche by its origin; scenario and
    fiche may be blank. Raises `NotFound`, `NotYourPupil`, `Frozen`, `FieldErrors`.
    """
    student = rules.lock_pupil(student_id)
    rules.check_may_evaluate(student, by)
    clean = _clean(student, values, now=now)
    evaluation = Evaluation(**clean, **rules.get_origin_values(student, by=by, now=now))
    db.session.add(evaluation)
    rules.record_about_pupil("evaluation:created", student, by=by, now=now)
    return evaluation


def update_evaluation(
    student_id: int, evaluation_id: int, values: Mapping[str, str], *, opened_on: str | None, by: Actor, now: datetime
) -> Evaluation:
    """Update an évaluation, by its author; its stored competence and scenario may be kept, even if no longer offered.

    Raises `NotFound`, `NotYourPupil`, `Frozen`, `ReadOnlyCopy`, `NotYours`, `FieldErrors`, `StaleForm`.
    """
    student = rules.lock_pupil(student_id)
    evaluation = queries.get_evaluation(student_id, evaluation_id)
    rules.check_may_change(evaluation, student, by)
    clean = _clean(student, values, now=now, stored=evaluation)
    check_fresh(get_evaluation_values(evaluation), opened_on)
    for name, value in clean.items():
        setattr(evaluation, name, value)
    evaluation.changed_at = now
    rules.record_about_pupil("evaluation:changed", student, by=by, now=now)
    return evaluation


def delete_evaluation(student_id: int, evaluation_id: int, *, by: Actor, now: datetime) -> None:
    """Delete an évaluation, by its author. Raises the same errors as `update_evaluation`."""
    student = rules.lock_pupil(student_id)
    evaluation = queries.get_evaluation(student_id, evaluation_id)
    rules.check_may_change(evaluation, student, by)
    db.session.delete(evaluation)
    rules.record_about_pupil("evaluation:deleted", student, by=by, now=now)


def check_teaches(division: Division, by: Actor) -> None:
    """Raise `NotYourDivision` unless the actor teaches the division."""
    taught = by.can(Permission.PUPILS_EVALUATE) and by.id is not None
    if not taught or division.id not in {row.division_id for row in list_teacher_divisions(by.id or 0)}:
        raise NotYourDivision


class DivisionEvaluated(NamedTuple):
    """Result of the evaluation of a division: how many pupils, which competence, which day."""

    pupils: int
    competence: str
    day: date

    def describe(self) -> str:
        """Return it in French, for the journal and the next page."""
        return f"{plural(self.pupils, 'apprenant', 'apprenants')}, {self.competence}, le {format_date(self.day)}"


def create_division_evaluations(
    division: Division, values: Mapping[str, str], levels: Mapping[int, str], *, by: Actor, now: datetime
) -> DivisionEvaluated:
    """Give each of several pupils of a division a level in one competence on one day.

    `levels` maps a pupil's id to 1–4, or blank for a pupil who is not evaluated. Raises `NotYourDivision`, and
    `FieldErrors` naming `niveau-<id>` for each refused level: the pupil left or moved meanwhile, or there is no such
    level.
    """
    check_teaches(division, by)
    errors: dict[str, str] = {}
    lock_current_establishment()
    present = {student.id: student for student in queries.list_present_of_division(division.id)}
    wanted = _clean_levels(levels, present, errors)
    common = _clean_common(division, values, errors, now=now)
    if not wanted and not errors:
        errors[""] = "Donnez un niveau à un apprenant au moins."
    check_no_error(errors)
    bulk_insert(
        db.session(),
        Evaluation,
        [
            {**common, **rules.get_origin_values(present[each], by=by, now=now), "level": level, "fiche_uid": None}
            for each, level in sorted(wanted.items())
        ],
    )
    evaluated = DivisionEvaluated(len(wanted), common["competence_code"], common["evaluated_on"])
    record(
        "evaluation:division",
        About("division", division.id, division.code),
        by=by,
        now=now,
        changes={"evaluated": (None, evaluated.describe())},
    )
    return evaluated


def _clean_levels(levels: Mapping[int, str], present: Container[int], errors: dict[str, str]) -> dict[int, int]:
    """Return the levels given, {pupil id: level}; add those refused to `errors`."""
    clean: dict[int, int] = {}
    for student_id, text in levels.items():
        level = read_level(text)
        if not text:
            continue
        if student_id not in present:
            errors[f"niveau-{student_id}"] = NO_LONGER_IN_DIVISION
        elif level is None:
            errors[f"niveau-{student_id}"] = "Choisissez un niveau de 1 à 4."
        else:
            clean[student_id] = level
    return clean


def _clean(
    student: Student, values: Mapping[str, str], *, now: datetime, stored: Evaluation | None = None
) -> dict[str, Any]:
    errors: dict[str, str] = {}
    division = db.session.get(Division, student.division_id) if student.division_id else None
    level = read_level(values.get("level") or "")
    if level is None:
        errors["level"] = "Choisissez un niveau de 1 à 4."
    uid = values.get("fiche") or None
    if uid and uid not in queries.list_fiches_by_origin(student.id):
        errors["fiche"] = "Cette fiche n’existe plus : choisissez à nouveau."
    common = _clean_common(division, values, errors, now=now, stored=stored)
    check_no_error(errors)
    return {**common, "level": level, "fiche_uid": uid}


def _clean_common(
    division: Division | None,
    values: Mapping[str, str],
    errors: dict[str, str],
    *,
    now: datetime,
    stored: Evaluation | None = None,
) -> dict[str, Any]:
    """Return the values common to the évaluations of several pupils; add those refused to `errors`."""
    return {
        **_clean_competence(division, values.get("competence") or "", errors, stored),
        **clean_scenario(division, values.get("scenario") or "", errors, stored),
        "evaluated_on": clean_day(values, errors, now),
    }


def _clean_competence(
    division: Division | None, wanted: str, errors: dict[str, str], stored: Evaluation | None
) -> dict[str, Any]:
    if stored is not None and wanted == str(stored.competence_id or ""):
        return {}
    if division is None or division.diploma_id is None:
        errors["competence"] = (
            "L’apprenant n’est dans aucune division rattachée à un diplôme : il n’y a pas de liste de compétences."
        )
        return {}
    competence = _chosen(list_competences(division.diploma_id), wanted)
    if competence is None:
        errors["competence"] = "Choisissez une compétence du diplôme."
        return {}
    return describe_competence(competence)


def describe_competence(competence: Competence) -> dict[str, Any]:
    """Return the columns of an évaluation that name a competence and its diploma."""
    diploma = db.session.get_one(Diploma, competence.diploma_id)
    return {
        "competence_id": competence.id,
        "competence_code": competence.code,
        "competence_label": competence.label,
        "diploma_code": diploma.code,
        "diploma_label": diploma.short_label,
    }


def clean_scenario(
    division: Division | None, wanted: str, errors: dict[str, str], stored: Evaluation | None = None
) -> dict[str, Any]:
    """Return the columns of an évaluation that name its scenario, by id; add one that is not offered to `errors`."""
    if stored is not None and wanted == str(stored.scenario_id or ""):
        return {}
    if not wanted:
        return {"scenario_id": None, "scenario_title": ""}
    diploma_id = division.diploma_id if division else None
    scenario = _chosen(choices.list_scenarios(diploma_id), wanted) if diploma_id else None
    if scenario is None:
        errors["scenario"] = "Ce scénario n’est plus proposé : choisissez à nouveau."
        return {}
    return {"scenario_id": scenario.id, "scenario_title": scenario.title}


def _chosen(rows: Sequence[Row], wanted: str) -> Row | None:
    return next((row for row in rows if str(row.id) == wanted), None)


def read_level(text: str) -> int | None:
    """Parse a level, 1 to 4; return None for any other text."""
    return {str(level.value): level.value for level in Level}.get(text)


def clean_day(values: Mapping[str, str], errors: dict[str, str], now: datetime) -> date | None:
    """Return the day of an évaluation, in `evaluated_on`; add a missing or future one to `errors`."""
    day = rules.parse_day(values, "evaluated_on", errors, required="Indiquez le jour de l’évaluation.")
    today = get_school_today(now)
    if day and day > today:
        errors["evaluated_on"] = f"Ce jour n’est pas encore venu : nous sommes le {format_date(today)}."
        return None
    return day


def describe_past_year(day: date | None, now: datetime) -> str:
    """Return the warning for a day in an earlier school year, "" for any other."""
    if day is None or day >= first_day_of_school_year(get_school_today(now)):
        return ""
    return f"Le {format_date(day)} est d’une année scolaire passée\u202f: vérifiez que c’est bien le jour voulu."
