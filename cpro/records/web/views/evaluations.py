"""Evaluate a pupil, correct and delete an évaluation."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectChoice

from cpro.competences.queries import list_competences
from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import format_date
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import posted
from cpro.core.web.pages import back_to, render_page
from cpro.records import choices, queries
from cpro.records.models import Evaluation
from cpro.records.operations import evaluations as operations
from cpro.records.operations import rules
from cpro.records.web.forms import CommonEvaluationForm, EvaluationForm
from cpro.records.web.views import bp
from cpro.records.web.views.frame import PupilPage, draft_of, frame_of, open_pupil, period_of


@bp.get("/<int:student_id>/evaluations/nouvelle")
@requires(Permission.PUPILS_EVALUATE)
def new_evaluation(student_id: int) -> ResponseReturnValue:
    """Show an empty évaluation, of today; `?fiche=` names the fiche it is about."""
    page = open_pupil(student_id)
    rules.check_may_evaluate(page.student, current_actor())
    asked = {"evaluated_on": rules.get_school_today(clock.utcnow()).isoformat(), "fiche": request.args.get("fiche", "")}
    return _form_page(page, EvaluationForm(drafts.typed(draft_of("evaluation", student_id)), data=asked), None)


@bp.post("/<int:student_id>/evaluations/nouvelle")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def create_evaluation(student_id: int) -> ResponseReturnValue:
    """Evaluate a pupil."""
    page, form = open_pupil(student_id), EvaluationForm(posted())
    if drafts.is_asked():
        rules.check_may_evaluate(page.student, current_actor())
        return drafts.answer(draft_of("evaluation", student_id), again=lambda: _refused(student_id, form, None))
    if not form.validate():
        rules.check_may_evaluate(page.student, current_actor())
        return _form_page(page, form, None, 422)
    try:
        with unit_of_work():
            operations.create_evaluation(student_id, form.data, by=current_actor(), now=clock.utcnow())
            drafts.saved(draft_of("evaluation", student_id))
    except DomainError as refusal:
        return _refused(student_id, form, None, refusal)
    message = f"L’évaluation {page.of_name} est enregistrée."
    return back_to(url_for("records.evaluations", student_id=student_id), message)


@bp.get("/<int:student_id>/evaluations/<int:evaluation_id>/modifier")
@requires(Permission.PUPILS_EVALUATE)
def edit_evaluation(student_id: int, evaluation_id: int) -> ResponseReturnValue:
    """Show an évaluation to correct."""
    page, row = open_pupil(student_id), queries.get_evaluation(student_id, evaluation_id)
    rules.check_may_change(row, page.student, current_actor())
    stored = operations.get_evaluation_values(row)
    return _form_page(
        page, EvaluationForm.opened(stored, drafts.typed(draft_of("evaluation", student_id, evaluation_id))), row
    )


@bp.post("/<int:student_id>/evaluations/<int:evaluation_id>/modifier")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def save_evaluation(student_id: int, evaluation_id: int) -> ResponseReturnValue:
    """Correct an évaluation."""
    page, row = open_pupil(student_id), queries.get_evaluation(student_id, evaluation_id)
    if drafts.is_asked():
        rules.check_may_change(row, page.student, current_actor())
        return drafts.answer(
            draft_of("evaluation", student_id, evaluation_id),
            again=lambda: _refused(student_id, EvaluationForm(posted()), evaluation_id),
        )
    form = EvaluationForm.sent(operations.get_evaluation_values(row), keeps_absent=False)
    if not form.validate():
        rules.check_may_change(row, page.student, current_actor())
        return _form_page(page, form, row, form.status)
    try:
        with unit_of_work():
            operations.update_evaluation(
                student_id,
                evaluation_id,
                form.data,
                opened_on=form.version.data,
                by=current_actor(),
                now=clock.utcnow(),
            )
            drafts.saved(draft_of("evaluation", student_id, evaluation_id))
    except DomainError as refusal:
        return _refused(student_id, form, evaluation_id, refusal)
    return back_to(url_for("records.evaluations", student_id=student_id), "L’évaluation est enregistrée.")


@bp.route("/<int:student_id>/evaluations/<int:evaluation_id>/supprimer", methods=["GET", "POST"])
@requires(Permission.PUPILS_EVALUATE)
def delete_evaluation(student_id: int, evaluation_id: int) -> ResponseReturnValue:
    """Ask once, then delete an évaluation."""
    page, row = open_pupil(student_id), queries.get_evaluation(student_id, evaluation_id)
    if request.method == "POST":
        with unit_of_work():
            operations.delete_evaluation(student_id, evaluation_id, by=current_actor(), now=clock.utcnow())
            drafts.forget(draft_of("evaluation", student_id, evaluation_id))
        return back_to(url_for("records.evaluations", student_id=student_id), "L’évaluation est supprimée.")
    rules.check_may_change(row, page.student, current_actor())
    day = format_date(row.evaluated_on)
    return render_page(
        "confirm.html",
        title="Supprimer une évaluation",
        question=f"Supprimer l’évaluation {page.of_name} en {row.competence_code}, du {day} ?",
        consequences=["Elle disparaît pour tous, et de la courbe des niveaux, sans retour possible."],
        action_url=url_for("records.delete_evaluation", student_id=student_id, evaluation_id=evaluation_id),
        fields={},
        submit_label="Supprimer l’évaluation",
        cancel_url=url_for("records.evaluations", student_id=student_id),
        danger=True,
    )


def offer_choices(form: CommonEvaluationForm, diploma_id: int | None, stored: Evaluation | None = None) -> None:
    """Offer the competences and scenarios of a diploma, and those an évaluation already names."""
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
    """Add what is stored to the choices, if it is not among them any more."""
    if value not in {known for known, _label in offered}:
        offered.append((value, label))


def _refused(
    student_id: int, form: EvaluationForm, evaluation_id: int | None, refusal: DomainError | None = None
) -> ResponseReturnValue:
    """Show the form again with what refused it; whoever may not write at all gets the plain refusal."""
    if refusal is not None and refusal.status == 403:
        raise refusal
    row = queries.get_evaluation(student_id, evaluation_id) if evaluation_id is not None else None
    return _form_page(open_pupil(student_id), form, row, refusal.status if refusal else 200, refusal)


def _form_page(
    page: PupilPage,
    form: EvaluationForm,
    row: Evaluation | None,
    status: int = 200,
    refusal: DomainError | None = None,
) -> ResponseReturnValue:
    division = page.student.division
    offer_choices(form, division.diploma_id if division else None, row)
    fiches = queries.list_fiches(page.student.id)
    form.fiche.choices = [
        SelectChoice("", "Aucune"),
        *(SelectChoice(each.origin_uid, f"{each.title} ({period_of(each)})") for each in fiches),
    ]
    return render_page(
        "records/evaluation_form.html",
        form=form,
        evaluation=row,
        has_list=len(form.competence.choices) > 1,
        conflict=explain(form, refusal, stored=operations.get_evaluation_values(row) if row else {}),
        status=status,
        **frame_of(page, "evaluations"),
    )
