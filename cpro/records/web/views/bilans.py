"""Write, correct and delete a bilan."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import posted
from cpro.core.web.pages import back_to, render_page
from cpro.records import queries
from cpro.records.models import Bilan
from cpro.records.operations import bilans as operations
from cpro.records.operations import rules
from cpro.records.web.forms import BilanForm
from cpro.records.web.views import bp
from cpro.records.web.views.frame import PupilPage, draft_of, frame_of, open_pupil, period_of


@bp.get("/<int:student_id>/bilans/nouveau")
@requires(Permission.PUPILS_EVALUATE)
def new_bilan(student_id: int) -> ResponseReturnValue:
    """Show an empty bilan."""
    page = open_pupil(student_id)
    rules.check_may_evaluate(page.student, current_actor())
    return _form_page(page, BilanForm(drafts.typed(draft_of("bilan", student_id))), None)


@bp.post("/<int:student_id>/bilans/nouveau")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def create_bilan(student_id: int) -> ResponseReturnValue:
    """Write a bilan."""
    page, form = open_pupil(student_id), BilanForm(posted())
    if drafts.is_asked():
        rules.check_may_evaluate(page.student, current_actor())
        return drafts.answer(draft_of("bilan", student_id), again=lambda: _refused(student_id, form, None))
    if not form.validate():
        rules.check_may_evaluate(page.student, current_actor())
        return _form_page(page, form, None, 422)
    try:
        with unit_of_work():
            operations.create_bilan(student_id, form.data, by=current_actor(), now=clock.utcnow())
            drafts.saved(draft_of("bilan", student_id))
    except DomainError as refusal:
        return _refused(student_id, form, None, refusal)
    return back_to(url_for("records.bilans", student_id=student_id), f"Le bilan {page.of_name} est enregistré.")


@bp.get("/<int:student_id>/bilans/<int:bilan_id>/modifier")
@requires(Permission.PUPILS_EVALUATE)
def edit_bilan(student_id: int, bilan_id: int) -> ResponseReturnValue:
    """Show a bilan to correct."""
    page, row = open_pupil(student_id), queries.get_bilan(student_id, bilan_id)
    rules.check_may_change(row, page.student, current_actor())
    stored = operations.get_bilan_values(row)
    return _form_page(page, BilanForm.opened(stored, drafts.typed(draft_of("bilan", student_id, bilan_id))), row)


@bp.post("/<int:student_id>/bilans/<int:bilan_id>/modifier")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def save_bilan(student_id: int, bilan_id: int) -> ResponseReturnValue:
    """Correct a bilan."""
    page, row = open_pupil(student_id), queries.get_bilan(student_id, bilan_id)
    if drafts.is_asked():
        rules.check_may_change(row, page.student, current_actor())
        return drafts.answer(
            draft_of("bilan", student_id, bilan_id), again=lambda: _refused(student_id, BilanForm(posted()), bilan_id)
        )
    form = BilanForm.sent(operations.get_bilan_values(row), keeps_absent=False)
    if not form.validate():
        rules.check_may_change(row, page.student, current_actor())
        return _form_page(page, form, row, form.status)
    try:
        with unit_of_work():
            operations.update_bilan(
                student_id,
                bilan_id,
                form.data,
                opened_on=form.version.data,
                by=current_actor(),
                now=clock.utcnow(),
            )
            drafts.saved(draft_of("bilan", student_id, bilan_id))
    except DomainError as refusal:
        return _refused(student_id, form, bilan_id, refusal)
    return back_to(url_for("records.bilans", student_id=student_id), "Le bilan est enregistré.")


@bp.route("/<int:student_id>/bilans/<int:bilan_id>/supprimer", methods=["GET", "POST"])
@requires(Permission.PUPILS_EVALUATE)
def delete_bilan(student_id: int, bilan_id: int) -> ResponseReturnValue:
    """Ask once, then delete a bilan."""
    page, row = open_pupil(student_id), queries.get_bilan(student_id, bilan_id)
    if request.method == "POST":
        with unit_of_work():
            operations.delete_bilan(student_id, bilan_id, by=current_actor(), now=clock.utcnow())
            drafts.forget(draft_of("bilan", student_id, bilan_id))
        return back_to(url_for("records.bilans", student_id=student_id), "Le bilan est supprimé.")
    rules.check_may_change(row, page.student, current_actor())
    return render_page(
        "confirm.html",
        title="Supprimer un bilan",
        question=f"Supprimer le bilan {page.of_name}, {period_of(row)} ?",
        consequences=["Il disparaît pour tous, sans retour possible."],
        action_url=url_for("records.delete_bilan", student_id=student_id, bilan_id=bilan_id),
        fields={},
        submit_label="Supprimer le bilan",
        cancel_url=url_for("records.bilans", student_id=student_id),
        danger=True,
    )


def _refused(
    student_id: int, form: BilanForm, bilan_id: int | None, refusal: DomainError | None = None
) -> ResponseReturnValue:
    """Show the form again with what refused it; whoever may not write at all gets the plain refusal."""
    if refusal is not None and refusal.status == 403:
        raise refusal
    row = queries.get_bilan(student_id, bilan_id) if bilan_id is not None else None
    return _form_page(open_pupil(student_id), form, row, refusal.status if refusal else 200, refusal)


def _form_page(
    page: PupilPage, form: BilanForm, row: Bilan | None, status: int = 200, refusal: DomainError | None = None
) -> ResponseReturnValue:
    return render_page(
        "records/bilan_form.html",
        form=form,
        bilan=row,
        conflict=explain(form, refusal, stored=operations.get_bilan_values(row) if row else {}),
        status=status,
        **frame_of(page, "bilans"),
    )
