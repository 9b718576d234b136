"""Evaluate a whole division: one competence, one day, a level for each pupil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import DomainError
from cpro.core.formatting import person_name
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.queries import get_school_today
from cpro.records import queries
from cpro.records.models import Level
from cpro.records.operations.evaluations import check_teaches, create_division_evaluations
from cpro.records.web.forms import CommonEvaluationForm
from cpro.records.web.views import bp
from cpro.records.web.views.evaluations import describe_saved, offer_choices
from cpro.students.models import Division
from cpro.students.queries import get_division

_LEVEL = "niveau-"


@dataclass(frozen=True)
class Line:
    """One pupil of the form: the level chosen, and why it was refused."""

    id: int
    name: str
    level: str
    error: str


@bp.get("/evaluer/<int:division_id>")
@requires(Permission.PUPILS_EVALUATE)
def division(division_id: int) -> ResponseReturnValue:
    """Show the pupils of a division, none evaluated yet."""
    row = _own_division(division_id)
    typed = drafts.typed(_draft_of(division_id))
    today = get_school_today(clock.utcnow()).isoformat()
    return _page(row, CommonEvaluationForm(typed, data={"evaluated_on": today}), _typed_levels(typed or {}))


@bp.post("/evaluer/<int:division_id>")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def save_division(division_id: int) -> ResponseReturnValue:
    """Evaluate the pupils for whom a level was chosen."""
    row = _own_division(division_id)
    form, levels = CommonEvaluationForm(), _typed_levels(request.form)
    if drafts.is_asked():
        return drafts.answer(_draft_of(division_id), again=lambda: _page(_own_division(division_id), form, levels))
    if not form.validate():
        return _page(row, form, levels, status=422)
    try:
        with unit_of_work():
            evaluated = create_division_evaluations(
                get_division(division_id), form.data, levels, by=current_actor(), now=clock.utcnow()
            )
            code = row.code
            drafts.saved(_draft_of(division_id))
    except DomainError as refusal:
        if refusal.status == 403:
            raise
        form.blame(refusal)
        return _page(_own_division(division_id), form, levels, refusal.errors, status=refusal.status)
    message = f"Évaluations enregistrées en {code}\u202f: {evaluated.describe()}."
    return back_to(url_for("records.pupils", division=code), describe_saved(form, message))


def _draft_of(division_id: int) -> DraftKey:
    return DraftKey("division", str(division_id))


def _own_division(division_id: int) -> Division:
    row = get_division(division_id)
    check_teaches(row, current_actor())
    return row


def _typed_levels(fields: Mapping[str, Any]) -> dict[int, str]:
    """Return the level typed for each pupil, {id: text}; fields that name no pupil are ignored."""
    return {
        pupil: str(text)
        for name, text in fields.items()
        if name.startswith(_LEVEL) and (pupil := read_id(name.removeprefix(_LEVEL))) is not None
    }


def _page(
    row: Division,
    form: CommonEvaluationForm,
    levels: Mapping[int, str],
    errors: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> ResponseReturnValue:
    offer_choices(form, row.diploma_id)
    return render_page(
        "records/division.html",
        division=row,
        form=form,
        lines=[
            Line(
                each.id,
                person_name(each.shown_name, each.first_name),
                levels.get(each.id, ""),
                (errors or {}).get(f"{_LEVEL}{each.id}", ""),
            )
            for each in queries.list_present_of_division(row.id)
        ],
        levels=list(Level),
        has_list=len(form.competence.choices) > 1,
        status=status,
    )
