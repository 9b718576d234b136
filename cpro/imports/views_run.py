"""One import: its analysis, what people decide about it, its application, its report, its undoing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import plural
from cpro.core.forms import BaseForm, posted
from cpro.core.jobs.interruptions import tell_interruption
from cpro.core.permissions import Permission, requires
from cpro.core.registry import registry
from cpro.core.transactions import unit_of_work
from cpro.core.web import back_to, current_actor, render_page
from cpro.establishments.queries import get_current_establishment
from cpro.imports import browsing, presenting, queries
from cpro.imports.analysing import school_day
from cpro.imports.analysis.proposals import label_of
from cpro.imports.analysis.sources import year_label
from cpro.imports.browsing import MAX_SHOWN, Listed
from cpro.imports.depositing import renew
from cpro.imports.forms import ApplicationForm, answers_form
from cpro.imports.models import ImportQuestion, ImportRun, RunState
from cpro.imports.operations import choices, runs
from cpro.imports.operations.undoing import tell_obstacle, undo_or_send
from cpro.imports.refusals import UndoImpossible
from cpro.imports.views import bp, gate_of, words_of_reader

_EXCERPT = 15
_ANEW = "L’analyse est refaite avec vos réponses."
_CHANGED = (
    "Les données de l’établissement ont changé depuis l’analyse : elle vient d’être refaite. Relisez-la, puis "
    "confirmez à nouveau."
)


@bp.get("/<int:run_id>")
@requires(Permission.IMPORTS_MANAGE)
def show(run_id: int) -> ResponseReturnValue:
    """Show an import as it stands."""
    return _page(run_id)


@bp.post("/<int:run_id>/appliquer")
@requires(Permission.IMPORTS_MANAGE)
def apply(run_id: int) -> ResponseReturnValue:
    """Have an import applied; one of data that changed meanwhile is analysed again first."""
    run, now, by = queries.get_run(run_id), clock.utcnow(), current_actor()
    if run.state is RunState.APPLYING and not runs.has_stopped(run):
        return redirect(url_for("jobs.show", job_id=run.job_id), 303)  # the button was pressed twice
    form = ApplicationForm(posted())
    try:
        if queries.is_outdated(run, school_day(now)):
            return _renewed(run_id, renew(run, by=by, now=now), _CHANGED, "warning")
        with unit_of_work():
            job_id = runs.send_to_application(
                queries.get_run(run_id),
                confirmations=form.confirmations.data or [],
                seen=form.version.data or None,
                by=by,
                now=now,
            ).id
    except DomainError as refusal:
        form.blame(refusal)
        return _page(run_id, refusal.status, application=form, refusal=refusal.message)
    return redirect(url_for("jobs.show", job_id=job_id), 303)


@bp.post("/<int:run_id>/analyser")
@requires(Permission.IMPORTS_MANAGE)
def analyse(run_id: int) -> ResponseReturnValue:
    """Compare the kept files with the school as it is now."""
    try:
        job_id = renew(queries.get_run(run_id), by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        return _page(run_id, refusal.status, refusal=refusal.message)
    return _renewed(run_id, job_id, "L’analyse est refaite avec les données de maintenant.")


@bp.post("/<int:run_id>/reponses")
@requires(Permission.IMPORTS_MANAGE)
def answer(run_id: int) -> ResponseReturnValue:
    """Keep whom doubtful lines are about, and analyse the files again accordingly."""
    now, by = clock.utcnow(), current_actor()
    run = queries.get_run(run_id)
    form = answers_form(_asked(browsing.list_questions(run_id)[:MAX_SHOWN]), posted())
    try:
        with unit_of_work():
            if request.form.get("geste") == "evident":
                given = choices.answer_the_obvious(run, by=by, now=now)
            else:
                given = choices.answer_questions(run, _answers(), by=by, now=now)
        if not given:
            return back_to(url_for("imports.show", run_id=run_id), "Aucune réponse n’a été donnée.", "warning")
        job_id = renew(queries.get_run(run_id), by=by, now=now)
    except DomainError as refusal:
        form.blame(refusal)
        return _page(run_id, refusal.status, answers=form, refusal=refusal.message)
    kept = plural(given, "réponse enregistrée", "réponses enregistrées")
    return _renewed(run_id, job_id, f"{kept}. {_ANEW}")


@bp.post("/<int:run_id>/choix")
@requires(Permission.IMPORTS_MANAGE)
def choose(run_id: int) -> ResponseReturnValue:
    """Keep which proposed deactivations are done."""
    now, by = clock.utcnow(), current_actor()
    run, gesture = queries.get_run(run_id), request.form.get("geste", "")
    try:
        with unit_of_work():
            today = school_day(now)
            if gesture in ("tout", "rien"):
                choices.choose_all(run, is_selected=gesture == "tout", today=today, by=by, now=now)
            else:
                choices.choose_proposals(run, shown=_ids("montre"), selected=_ids("coche"), today=today, by=by, now=now)
    except DomainError as refusal:
        return _page(run_id, refusal.status, refusal=refusal.message)
    return back_to(url_for("imports.show", run_id=run_id), "Les désactivations choisies sont enregistrées.")


@bp.route("/<int:run_id>/abandonner", methods=["GET", "POST"])
@requires(Permission.IMPORTS_MANAGE)
def abandon(run_id: int) -> ResponseReturnValue:
    """Ask once, then give up an import that is not applied."""
    run = queries.get_run(run_id)
    label = run.label
    if request.method == "POST":
        try:
            with unit_of_work():
                runs.abandon_run(run, by=current_actor(), now=clock.utcnow())
        except DomainError as refusal:
            return _page(run_id, refusal.status, refusal=refusal.message)
        return back_to(
            url_for("imports.index"), f"{label} : abandonné. Rien n’a été écrit, les fichiers sont supprimés."
        )
    return render_page(
        "confirm.html",
        title=f"Abandonner : {label}",
        question=f"Abandonner cet import ({presenting.files_of(run)}) ?",
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
    """Ask once, then undo the last import."""
    run, now = queries.get_run(run_id), clock.utcnow()
    label = run.label
    if runs.is_being_undone(run):
        return redirect(url_for("jobs.show", job_id=run.job_id), 303)
    if request.method == "POST":
        try:
            with unit_of_work():
                job = undo_or_send(run, by=current_actor(), now=now)
                job_id = job.id if job else None
        except DomainError as refusal:
            return _page(run_id, refusal.status, refusal=refusal.message)
        if job_id is not None:
            return redirect(url_for("jobs.show", job_id=job_id), 303)
        return back_to(url_for("imports.show", run_id=run_id), f"{label} : annulé. Les données sont comme avant lui.")
    obstacle = tell_obstacle(run, now=now)
    if obstacle:
        return _page(run_id, UndoImpossible.status, refusal=obstacle)
    return render_page(
        "confirm.html",
        title=f"Annuler : {label}",
        question=f"Annuler cet import ({presenting.files_of(run)}) ?",
        consequences=[
            "Ce qu’il a créé est supprimé, ce qu’il a modifié ou désactivé redevient comme avant.",
            "Les transferts qu’il a causés sont annulés d’abord.",
            "Si quelqu’un a travaillé depuis sur ce qu’il a apporté, rien n’est défait et la raison vous est dite.",
        ],
        action_url=url_for("imports.undo", run_id=run_id),
        fields={},
        submit_label="Annuler cet import",
        cancel_url=url_for("imports.show", run_id=run_id),
        danger=True,
    )


# --- Private -------------------------------------------------------------------------------------------------------


def _renewed(run_id: int, job_id: int | None, sentence: str, category: str = "success") -> ResponseReturnValue:
    flash(sentence, category)
    url = url_for("imports.show", run_id=run_id) if job_id is None else url_for("jobs.show", job_id=job_id)
    return redirect(url, 303)


def _ids(name: str) -> list[int]:
    """Return the ids posted under a name; a word is none."""
    found = request.form.getlist(name)[: 2 * MAX_SHOWN]
    return [int(text) for text in found if text.isascii() and text.isdigit() and len(text) < 10]


def _answers() -> dict[int, int]:
    """Return the answers posted, {question's id: answer}; what is no number answers nothing, and is refused."""
    given = {}
    for name, text in request.form.items():
        question = name.removeprefix("question-")
        if question != name and question.isascii() and question.isdigit() and len(question) < 10:
            is_number = text.isascii() and text.isdigit() and len(text) < 10
            given[int(question)] = int(text) if is_number else -1
    return given


def _asked(questions: Any) -> list[tuple[str, str, str, list[tuple[str, str]], int | None]]:
    return [
        (each.field, f"Ligne {each.line} : {each.person}", each.sentence, presenting.choices_of(each), each.answer)
        for each in questions
    ]


def _page(
    run_id: int,
    status: int = 200,
    *,
    application: ApplicationForm | None = None,
    answers: BaseForm | None = None,
    refusal: str = "",
) -> ResponseReturnValue:
    run, now = queries.get_run(run_id), clock.utcnow()
    timezone = registry().timezone()
    if run.state is RunState.ANALYSED and (application or answers):
        refusal = ""  # the form says it, beside its cause; once the import is over there is no form
    context: dict[str, Any] = {
        "run": run,
        "files": presenting.files_of(run),
        "year": year_label(run.school_year),
        "level": presenting.level_of(run.state),
        "created": presenting.instant_of(run.created_at, timezone),
        "analysed": presenting.instant_of(run.analysed_at, timezone),
        "applied": presenting.instant_of(run.applied_at, timezone),
        "undone": presenting.instant_of(run.undone_at, timezone),
        "refusal": refusal,
        "stopped": run.state in (RunState.APPLYING, RunState.DEPOSITED) and runs.has_stopped(run),
        "undoing": runs.is_being_undone(run),
        "interruption": _interruption(run, now),
        "failure": runs.tell_failure(run),
        "gate": gate_of(get_current_establishment()),
    }
    if run.state is RunState.ANALYSED:
        context |= _analysis(run, application, answers)
        context["outdated"] = queries.is_outdated(run, school_day(now))
    if run.counts:
        context |= _figures(run)
    undoable = queries.find_undoable(now)
    is_last = undoable is not None and undoable.id == run.id and not context["undoing"]
    context["obstacle"] = tell_obstacle(run, now=now) if is_last else ""
    context["may_undo"] = is_last and not context["obstacle"]
    return render_page("imports/show.html", status=status, **context)


def _interruption(run: ImportRun, now: dt.datetime) -> str:
    job = runs.find_job(run)
    return tell_interruption(job, now) if job else ""


def _analysis(run: ImportRun, application: ApplicationForm | None, answers: BaseForm | None) -> dict[str, Any]:
    """Return what people may decide about an analysis."""
    form = application or ApplicationForm(data={"version": runs.version_of(run)})
    form.version.data = runs.version_of(run)
    form.offer(run.confirmations_needed)
    questions: list[ImportQuestion] = list(browsing.list_questions(run.id))
    proposals = browsing.list_proposals(run)
    asked, still_open = browsing.count_questions(run.id)
    return {
        "application": form,
        "answers": answers or answers_form(_asked(questions[:MAX_SHOWN])),
        "question_count": asked,
        "open_count": still_open,
        "more_questions": len(questions) > MAX_SHOWN,
        "proposals": proposals[:MAX_SHOWN],
        "more_proposals": len(proposals) > MAX_SHOWN,
    }


def _figures(run: ImportRun) -> dict[str, Any]:
    """Return the figures of an analysed import, and the beginning of its lists."""
    words, everything = words_of_reader(), Listed({}, "", 0)
    titles, rows = presenting.figures_of(run)
    return {
        "titles": titles,
        "rows": rows,
        "sentences": presenting.sentences_of(run),
        "changes": [words.change(each, run) for each in browsing.list_changes(run.id, everything, _EXCERPT)],
        "change_count": browsing.count_changes(run.id, everything),
        "findings": [words.finding(each) for each in browsing.list_findings(run.id, everything, _EXCERPT)],
        "finding_count": browsing.count_findings(run.id, everything),
        "codes": [(label_of(code), code, number) for _severity, code, number in browsing.count_by_code(run.id)],
        "max_count": browsing.MAX_COUNT,
    }
