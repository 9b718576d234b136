"""One import: its analysis, decisions, application, report and undoing."""

from __future__ import annotations

import datetime as dt

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError, refusal_of
from cpro.core.formatting import plural
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.queries import get_school_today
from cpro.imports import queries
from cpro.imports.apply import reversal
from cpro.imports.errors import UndoImpossible
from cpro.imports.models import RunState
from cpro.imports.runs import choices, lifecycle
from cpro.imports.runs.deposits import renew
from cpro.imports.web import presenters
from cpro.imports.web.run_page import read_decisions, read_place, show_run
from cpro.imports.web.views.deposits import bp

_ANEW = "L’analyse est refaite avec vos réponses."
_VOID_CODES = "Les codes d’activation qu’il a annulés restent sans effet : de nouvelles fiches les remplaceront."
_CHANGED = (
    "Les données de l’établissement ont changé depuis l’analyse : elle vient d’être refaite. Relisez-la, puis "
    "confirmez à nouveau."
)
_READ_AGAIN = (
    "Vos réponses sont enregistrées, et l’analyse est refaite avec elles. Rien n’est encore appliqué : elles changent "
    "aussi ce qui est proposé pour d’autres lignes. Relisez l’analyse, puis appliquez-la."
)


@bp.get("/<int:run_id>")
@requires(Permission.IMPORTS_MANAGE)
def show(run_id: int) -> ResponseReturnValue:
    """Show an import."""
    return show_run(run_id)


@bp.post("/<int:run_id>/appliquer")
@requires(Permission.IMPORTS_MANAGE)
def apply(run_id: int) -> ResponseReturnValue:
    """Request the application of an import as the page shows it: ticks and answers are stored first.

    If the data changed meanwhile, it is analysed again; so are new answers, and the page is shown again when they
    change more than the lines they are about.
    """
    run, now, by = queries.get_run(run_id), clock.utcnow(), current_actor()
    if run.state is RunState.APPLYING and not lifecycle.has_stopped(run):
        return _back(run_id)  # the button was pressed twice
    try:
        answered = _keep(run_id, now)
        run = queries.get_run(run_id)
        shown, is_outdated = choices.get_outline(run), queries.is_outdated(run, get_school_today(now))
        if answered or is_outdated:
            job_id = renew(run, by=by, now=now)
            if job_id is not None or is_outdated or choices.get_outline(queries.get_run(run_id)) != shown:
                return _back(run_id, _CHANGED if is_outdated else _READ_AGAIN, "warning")
        run = queries.get_run(run_id)
        confirmations, seen = request.form.getlist("confirmations"), lifecycle.get_version(run)
        with unit_of_work(school_first=False):
            lifecycle.send_to_application(run, confirmations=confirmations, seen=seen, by=by, now=now)
    except DomainError as refusal:
        return show_run(run_id, refusal)
    return _back(run_id)


@bp.post("/<int:run_id>/analyser")
@requires(Permission.IMPORTS_MANAGE)
def analyse(run_id: int) -> ResponseReturnValue:
    """Compare the stored files with the school's current data; the decisions on the page are stored."""
    now = clock.utcnow()
    try:
        if queries.get_run(run_id).state is RunState.ANALYSED:
            _keep(run_id, now)
        renew(queries.get_run(run_id), by=current_actor(), now=now)
    except DomainError as refusal:
        return show_run(run_id, refusal)
    return _back(run_id, "L’analyse est refaite avec les données de maintenant.")


@bp.post("/<int:run_id>/reponses")
@requires(Permission.IMPORTS_MANAGE)
def answer(run_id: int) -> ResponseReturnValue:
    """Store whom doubtful lines are about, and analyse the files again accordingly; ticks are stored too."""
    now, by = clock.utcnow(), current_actor()
    try:
        given = _keep(run_id, now)
        if request.form.get("geste") == "evident":
            with unit_of_work(school_first=False):
                given += choices.answer_the_obvious(queries.get_run(run_id), by=by, now=now)
        if not given:
            return _back(run_id, "Aucune réponse n’a été donnée.", "warning")
        renew(queries.get_run(run_id), by=by, now=now)
    except DomainError as refusal:
        return show_run(run_id, refusal)
    kept = plural(given, "réponse enregistrée", "réponses enregistrées")
    return _back(run_id, f"{kept}. {_ANEW}")


@bp.post("/<int:run_id>/choix")
@requires(Permission.IMPORTS_MANAGE)
def choose(run_id: int) -> ResponseReturnValue:
    """Store which proposed deactivations are applied; answers given on the same page are stored too."""
    now, by, action = clock.utcnow(), current_actor(), request.form.get("geste", "")
    place = read_place("suite" if "suite" in request.form else "apres")
    try:
        given = _keep(run_id, now)
        if action in ("tout", "rien"):
            with unit_of_work(school_first=False):
                choices.choose_all(
                    queries.get_run(run_id), is_selected=action == "tout", today=get_school_today(now), by=by, now=now
                )
        if given:
            renew(queries.get_run(run_id), by=by, now=now)
            return _back(run_id, f"Les désactivations choisies et vos réponses sont enregistrées. {_ANEW}")
    except DomainError as refusal:
        return show_run(run_id, refusal)
    return _back(run_id, "Les désactivations choisies sont enregistrées.", place=place)


@bp.route("/<int:run_id>/abandonner", methods=["GET", "POST"])
@requires(Permission.IMPORTS_MANAGE)
def abandon(run_id: int) -> ResponseReturnValue:
    """Ask for confirmation, then abandon an import that is not applied."""
    run = queries.get_run(run_id)
    label = run.label
    refused = refusal_of(lifecycle.check_abandonment, run)
    if refused is not None:
        return show_run(run_id, refused)
    if request.method == "POST":
        try:
            with unit_of_work(school_first=False):
                lifecycle.abandon_run(run, by=current_actor(), now=clock.utcnow())
        except DomainError as refusal:
            return show_run(run_id, refusal)
        return back_to(
            url_for("imports.index"), f"{label} : abandonné. Rien n’a été écrit, les fichiers sont supprimés."
        )
    return render_page(
        "confirm.html",
        title=f"Abandonner : {label}",
        question=f"Abandonner cet import ({presenters.describe_files(run)}) ?",
        consequences=[
            "Rien n’est écrit dans les données de l’établissement.",
            "Les fichiers déposés et leur analyse sont supprimés.",
        ],
        action_url=url_for("imports.abandon", run_id=run_id),
        fields={},
        submit_label="Abandonner cet import",
        cancel_url=url_for("imports.show", run_id=run_id),
        danger=True,
    )


@bp.route("/<int:run_id>/annuler", methods=["GET", "POST"])
@requires(Permission.IMPORTS_MANAGE)
def undo(run_id: int) -> ResponseReturnValue:
    """Ask for confirmation, then undo the last import."""
    run, now = queries.get_run(run_id), clock.utcnow()
    label = run.label
    if lifecycle.is_being_undone(run):
        return _back(run_id)
    if request.method == "POST":
        try:
            with unit_of_work(school_first=False):
                is_sent = reversal.request_undo(run, by=current_actor(), now=now) is not None
            if not is_sent:
                reversal.undo(run_id=run_id, by=current_actor(), clock=clock.utcnow)
        except DomainError as refusal:
            return show_run(run_id, refusal)
        return _back(run_id, "" if is_sent else f"{label} : annulé. Les données sont comme avant lui.")
    obstacle = reversal.describe_obstacle(run, now=now)
    if obstacle:
        return show_run(run_id, UndoImpossible(obstacle))
    return render_page(
        "confirm.html",
        title=f"Annuler : {label}",
        question=f"Annuler cet import ({presenters.describe_files(run)}) ?",
        consequences=[
            "Ce qu’il a créé est supprimé, ce qu’il a modifié ou désactivé redevient comme avant.",
            *([_VOID_CODES] if (run.counts or {}).get("staff", {}).get("deactivated") else []),
            "Les transferts qu’il a causés sont annulés d’abord.",
            "Si quelqu’un a travaillé depuis sur ce qu’il a apporté, rien n’est défait et la raison vous est dite.",
        ],
        action_url=url_for("imports.undo", run_id=run_id),
        fields={},
        submit_label="Annuler cet import",
        cancel_url=url_for("imports.show", run_id=run_id),
        danger=True,
    )


def _keep(run_id: int, now: dt.datetime) -> int:
    """Store the ticks and the answers of the posted page, all or none; return the number of new answers."""
    with unit_of_work(school_first=False):
        return choices.keep_decisions(
            queries.get_run(run_id),
            read_decisions(),
            seen=request.form.get("version") or None,
            today=get_school_today(now),
            by=current_actor(),
            now=now,
        )


def _back(run_id: int, sentence: str = "", category: str = "success", place: int = 0) -> ResponseReturnValue:
    """Redirect to the page of the import, which also shows the running work."""
    return back_to(url_for("imports.show", run_id=run_id, apres=place or None), sentence, category)
