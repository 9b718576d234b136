"""« Rentrée »: the steps of a new school year, their marks, the report."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import format_school_year
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import back_to, render_page
from cpro.new_year import operations, queries
from cpro.new_year.declared import BY_KEY, StepDeclaration
from cpro.new_year.models import Mark
from cpro.new_year.steps import list_steps
from cpro.new_year.web import presenter

bp = Blueprint("new_year", __name__, url_prefix="/admin/rentree")


@bp.get("")
@requires(Permission.NEW_YEAR)
def index() -> ResponseReturnValue:
    """Show the steps of the school year being prepared."""
    return render_page("new_year/index.html", **presenter.describe_page())


@bp.post("/etapes")
@requires(Permission.NEW_YEAR)
def mark_step() -> ResponseReturnValue:
    """Set the mark (`pointage`, blank to remove it) of a step (`etape`)."""
    step, mark = _read_step(request.form.get("etape", "")), _read_mark(request.form.get("pointage", ""))
    try:
        with unit_of_work():
            operations.mark_step(presenter.current_year(), step, mark, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        return back_to(url_for(".index"), refusal.message, "warning")
    said = mark.label if mark else "à reprendre"
    return back_to(url_for(".index", _anchor=step.key), f"«\u202f{step.title}\u202f»\u202f: {said}.")


@bp.get("/terminer")
@requires(Permission.NEW_YEAR)
def ask_to_finish() -> ResponseReturnValue:
    """Show the confirmation that declares the school year prepared."""
    year = presenter.current_year()
    steps = list_steps(year, now=clock.utcnow())
    try:
        operations.check_finished(steps)
    except DomainError as refusal:
        return back_to(url_for(".index"), refusal.message, "warning")
    return render_page(
        "confirm.html",
        title="Terminer la rentrée",
        question=f"Déclarer terminée la rentrée {format_school_year(year)}\u202f?",
        consequences=[
            *presenter.describe_set_aside(steps),
            "Le bilan garde l’état de chaque étape, ses chiffres, sa date et son auteur.",
            "Le tableau de bord ne mène plus aux étapes\u202f; la page reste ouverte, et le bilan peut être refait.",
        ],
        action_url=url_for(".finish"),
        fields={},
        submit_label="Terminer la rentrée",
        cancel_url=url_for(".index"),
        danger=False,
    )


@bp.post("/terminer")
@requires(Permission.NEW_YEAR)
def finish() -> ResponseReturnValue:
    """Store the report of the school year being prepared."""
    year = presenter.current_year()
    try:
        with unit_of_work():
            operations.finish(year, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        return back_to(url_for(".index"), refusal.message, "warning")
    return back_to(url_for(".report", year=year), f"La rentrée {format_school_year(year)} est terminée.")


@bp.get("/bilan/<int:year>")
@requires(Permission.NEW_YEAR)
def report(year: int) -> ResponseReturnValue:
    """Show the report of a school year."""
    found = queries.find_report(year)
    if found is None:
        raise NotFound("Cette rentrée n’a pas de bilan.")
    return render_page("new_year/report.html", **presenter.describe_report(found))


def _read_step(text: str) -> StepDeclaration:
    if text not in BY_KEY:
        raise NotFound("Cette étape n’existe pas.")
    return BY_KEY[text]


def _read_mark(text: str) -> Mark | None:
    if not text:
        return None
    try:
        return Mark(text)
    except ValueError:
        raise NotFound("Ce pointage n’existe pas.") from None
