"""Create, update and delete an évaluation of a pupil."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from cpro.competences.queries import list_competences
from cpro.core import clock
from cpro.core.formatting import format_date
from cpro.core.parsing import read_day
from cpro.core.permissions import Permission, requires
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import current_actor
from cpro.establishments.queries import get_school_today
from cpro.records import choices, queries
from cpro.records.models import Evaluation
from cpro.records.operations import evaluations as operations
from cpro.records.operations import rules
from cpro.records.web.forms import CommonEvaluationForm, EvaluationForm
from cpro.records.web.views import bp
from cpro.records.web.views.frame import RecordPage, describe_period


class EvaluationPage(RecordPage[EvaluationForm]):
    """The form of an évaluation."""

    form_class, template = EvaluationForm, "records/evaluation_form.html"
    kind, tab = "evaluation", "evaluations"
    get_record, values_of = staticmethod(queries.get_evaluation), staticmethod(operations.get_evaluation_values)

    def first_values(self) -> Mapping[str, Any]:
        today = get_school_today(clock.utcnow()).isoformat()
        return {"evaluated_on": today, "fiche": request.args.get("fiche", "")}

    def save(self, form: EvaluationForm) -> tuple[str, str]:
        address, by, now = url_for("records.evaluations", student_id=self.student_id), current_actor(), clock.utcnow()
        if self.record_id is None:
            operations.create_evaluation(self.student_id, form.data, by=by, now=now)
            return address, describe_saved(form, f"L’évaluation {self.pupil.of_name} est enregistrée.")
        version = form.version.data
        operations.update_evaluation(self.student_id, self.record_id, form.data, opened_on=version, by=by, now=now)
        return address, describe_saved(form, "L’évaluation est enregistrée.")

    def offer(self, form: EvaluationForm) -> None:
        division = self.pupil.student.division
        offer_choices(form, division.diploma_id if division else None, self.record)
        fiches = queries.list_fiches(self.student_id)
        form.fiche.choices = [
            SelectChoice("", "Aucune"),
            *(SelectChoice(each.origin_uid, f"{each.title} ({describe_period(each)})") for each in fiches),
        ]

    def context(self, form: EvaluationForm) -> Mapping[str, Any]:
        return {"has_list": len(form.competence.choices) > 1, **super().context(form)}


@bp.get("/<int:student_id>/evaluations/nouvelle")
@requires(Permission.PUPILS_EVALUATE)
def new_evaluation(student_id: int) -> ResponseReturnValue:
    """Show an empty évaluation, dated today; `?fiche=` names the fiche it refers to."""
    return EvaluationPage(student_id).show()


@bp.post("/<int:student_id>/evaluations/nouvelle")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def create_evaluation(student_id: int) -> ResponseReturnValue:
    """Evaluate a pupil."""
    return EvaluationPage(student_id).answer()


@bp.get("/<int:student_id>/evaluations/<int:evaluation_id>/modifier")
@requires(Permission.PUPILS_EVALUATE)
def edit_evaluation(student_id: int, evaluation_id: int) -> ResponseReturnValue:
    """Show an évaluation for editing."""
    return EvaluationPage(student_id, evaluation_id).show()


@bp.post("/<int:student_id>/evaluations/<int:evaluation_id>/modifier")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def save_evaluation(student_id: int, evaluation_id: int) -> ResponseReturnValue:
    """Save an évaluation."""
    return EvaluationPage(student_id, evaluation_id).answer()


@bp.route("/<int:student_id>/evaluations/<int:evaluation_id>/supprimer", methods=["GET", "POST"])
@requires(Permission.PUPILS_EVALUATE)
def delete_evaluation(student_id: int, evaluation_id: int) -> ResponseReturnValue:
    """Confirm, then delete an évaluation."""
    page = EvaluationPage(student_id, evaluation_id)
    row: Evaluation = page.record
    day = format_date(row.evaluated_on)
    return page.delete(
        operations.delete_evaluation,
        check=rules.check_may_change,
        done="L’évaluation est supprimée.",
        title="Supprimer une évaluation",
        question=f"Supprimer l’évaluation {page.pupil.of_name} en {row.competence_code}, du {day} ?",
        consequences=["Elle disparaît pour tous, et de la courbe des niveaux, sans retour possible."],
        submit_label="Supprimer l’évaluation",
    )


def describe_saved(form: CommonEvaluationForm, done: str) -> str:
    """Return the confirmation of saved évaluations, with a warning if their day is in a past school year."""
    past_year = operations.describe_past_year(read_day(form.evaluated_on.data), clock.utcnow())
    return f"{done} {past_year}".strip()


def offer_choices(form: CommonEvaluationForm, diploma_id: int | None, stored: Evaluation | None = None) -> None:
    """Fill the choices with the competences and scenarios of a diploma, and those that an évaluation already names."""
    competences = list_competences(diploma_id) if diploma_id else []
    scenarios = choices.list_scenarios(diploma_id) if diploma_id else []
    offered = [(str(each.id), f"{each.code} – {each.label}") for each in competences]
    titles = [(str(each.id), each.title) for each in scenarios]
    if stored is not None:
        _keep(offered, str(stored.competence_id or ""), f"{stored.competence_code} – {stored.competence_label}")
        if stored.scenario_id is not None:
            _keep(titles, str(stored.scenario_id), stored.scenario_title)
    form.competence.choices = [SelectChoice("", "Choisissez…"), *(SelectChoice(*each) for each in offered)]
    form.scenario.choices = [SelectChoice("", "Aucun"), *(SelectChoice(*each) for each in titles)]


def _keep(offered: list[tuple[str, str]], value: str, label: str) -> None:
    """Add the stored value to the choices, if it is no longer among them."""
    if value not in {known for known, _label in offered}:
        offered.append((value, label))
