"""The page of one import: its progress, its analysis and decisions, its report."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import format_count, format_instant, format_school_year, plural
from cpro.core.lists import ListState
from cpro.core.parsing import read_integer
from cpro.core.permissions import Permission
from cpro.core.web.current_user import may
from cpro.core.web.job_presenter import Progress, progress_of
from cpro.core.web.pages import render_page
from cpro.core.web.registry import registry
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.imports import queries
from cpro.imports.apply.reversal import describe_obstacle
from cpro.imports.diff.proposals import label_of
from cpro.imports.models import ImportQuestion, ImportRun, RunState
from cpro.imports.runs import lifecycle, listing
from cpro.imports.runs.choices import Decisions
from cpro.imports.runs.listing import MAX_SHOWN
from cpro.imports.web import presenters
from cpro.imports.web.forms import ApplicationForm, answers_form, columns_form
from cpro.imports.web.views.deposits import get_presenter, list_gate_links
from cpro.students.accounts.queries import count_without_account

_EXCERPT = 15
_LEFT_SHOWN = 20
#: Prefixes of the fields of answers, and of answers about columns, which may be blank.
_QUESTION, _COLUMN = "question", "colonne"


def read_decisions() -> Decisions:
    """Return the decisions shown on the posted page."""
    return Decisions(_answers(), _ids("montre"), _ids("coche"))


def read_place(name: str = "apres") -> int:
    """Return the offset of the proposals on the page, 0 for the first; invalid text means 0."""
    return read_integer(request.values.get(name, "")) or 0


def show_run(run_id: int, refusal: DomainError | None = None, status: int = 0) -> ResponseReturnValue:
    """Show the current state of an import; after a refusal, with the submitted ticks, answers and confirmations."""
    run, now = queries.get_run(run_id), clock.utcnow()
    timezone = registry().timezone()
    context: dict[str, Any] = {
        "run": run,
        "files": presenters.describe_files(run),
        "left": [file["left"] for file in run.left_files[:_LEFT_SHOWN]],
        "left_count": len(run.left_files),
        "year": format_school_year(run.school_year),
        "level": presenters.get_level(run.state),
        "created": format_instant(run.created_at, timezone),
        "analysed": format_instant(run.analysed_at, timezone),
        "applied": format_instant(run.applied_at, timezone),
        "undone": format_instant(run.undone_at, timezone),
        # Shown beside its cause if there is a form; once the import is over there is none.
        "refusal": refusal.message if refusal and run.state is not RunState.ANALYSED else "",
        "stopped": run.state in (RunState.APPLYING, RunState.DEPOSITED) and lifecycle.has_stopped(run),
        "void_codes": presenters.describe_void_codes(run),
        "undoing": lifecycle.is_being_undone(run),
        "work": _work(run),
        "failure": lifecycle.describe_failure(run),
        "gate": list_gate_links(get_current_establishment()),
    }
    if run.state is RunState.ANALYSED:
        context |= _analysis(run, refusal)
        context["outdated"] = queries.is_outdated(run, get_school_today(now))
    if run.keeps_analysis:
        context |= _figures(run)
        context["refused_count"] = presenters.count_refused(run)
    undoable = queries.find_undoable(now)
    is_last = undoable is not None and undoable.id == run.id and not context["undoing"]
    context["obstacle"] = describe_obstacle(run, now=now) if is_last else ""
    context["may_undo"] = is_last and not context["obstacle"]
    return render_page("imports/show.html", status=status or (refusal.status if refusal else 200), **context)


def _work(run: ImportRun) -> Progress | None:
    """Return the progress of the running work, or None if there is none."""
    job = lifecycle.find_job(run)
    return progress_of(job) if job and not job.state.is_finished else None


def _analysis(run: ImportRun, refusal: DomainError | None) -> dict[str, Any]:
    """Return what people may decide about an analysis."""
    typed = request.form if refusal else None
    application = ApplicationForm(typed, data={})
    application.version.data = lifecycle.get_version(run)
    application.offer(run.confirmations_needed)
    questions = listing.list_questions(run.id)
    answers = answers_form(_asked(questions[:MAX_SHOWN]), typed)
    columns = columns_form(_asked(listing.list_column_questions(run.id)), typed)
    if refusal:
        about = [form for form in (columns, answers) if any(name in form for name in refusal.errors)]
        (about[0] if about else application).blame(refusal)
    place = read_place()
    proposals = listing.list_proposals(run, place)
    asked, still_open = listing.count_questions(run.id)
    proposed, ticked = listing.count_proposals(run)
    return {
        "application": application,
        "answers": answers,
        "columns": columns,
        "question_count": asked,
        "open_count": still_open,
        "more_questions": len(questions) > MAX_SHOWN,
        "proposals": [(each, _is_ticked(each.id, each.is_selected, refusal)) for each in proposals[:MAX_SHOWN]],
        "proposed_count": proposed,
        "ticked_count": ticked,
        "place": place,
        "next_place": proposals[MAX_SHOWN - 1].id if len(proposals) > MAX_SHOWN else None,
    }


def _is_ticked(change_id: int, is_selected: bool, refusal: DomainError | None) -> bool:
    """Return whether a box is shown ticked: as posted if the post was refused, else as stored."""
    if refusal and str(change_id) in request.form.getlist("montre"):
        return str(change_id) in request.form.getlist("coche")
    return is_selected


def _accounts_to_open(run: ImportRun) -> dict[str, str] | None:
    """Return the sentence about the pupils without account, and where to open accounts once possible."""
    if run.state is RunState.ANALYSED:
        number = listing.count_accounts_to_open(run)
        if run.opens_student_accounts:
            text = plural(number, "compte d’élève sera ouvert.", "comptes d’élèves seront ouverts.")
            return {"text": text} if number else None
        text = plural(number, "compte d’élève sera à ouvrir", "comptes d’élèves seront à ouvrir")
        return {"text": f"{text}\u202f: une fois l’import appliqué, cette page vous y mènera."} if number else None
    number = count_without_account() if run.state is RunState.APPLIED and may(Permission.USERS_EDIT) else 0
    if not number:
        return None
    return {
        "text": plural(number, "élève présent n’a pas de compte.", "élèves présents n’ont pas de compte."),
        "link_url": url_for("pupil_accounts.open_accounts", tous="oui"),
        "link_label": f"Ouvrir les comptes ({format_count(number)})",
    }


def _figures(run: ImportRun) -> dict[str, Any]:
    """Return the figures of an analysed import, and the first rows of its lists."""
    presenter, excerpt = get_presenter(), ListState(size=_EXCERPT)
    titles, rows = presenters.list_figures(run)
    return {
        "titles": titles,
        "rows": rows,
        "sentences": presenters.list_sentences(run),
        "accounts": _accounts_to_open(run),
        "changes": [presenter.present_change(each, run) for each in listing.find_changes(run.id, excerpt).rows],
        "change_count": listing.count_changes(run.id, excerpt),
        "findings": [presenter.present_finding(each) for each in listing.find_findings(run.id, excerpt).rows],
        "finding_count": listing.count_findings(run.id, excerpt),
        "codes": [(label_of(code), code, number) for _severity, code, number in listing.count_by_code(run.id)],
    }


def _asked(questions: Any) -> list[tuple[str, str, str, list[tuple[str, str]], int | None]]:
    asked: list[ImportQuestion] = list(questions)
    return [
        (
            each.field,
            each.person if each.object_type == ImportQuestion.COLUMN else f"Ligne {each.line} : {each.person}",
            each.sentence,
            presenters.list_choices(each),
            each.answer,
        )
        for each in asked
    ]


def _ids(name: str) -> list[int]:
    """Return the ids posted under a name; non-numeric values are ignored."""
    numbers = (read_integer(text) for text in request.form.getlist(name)[: 2 * MAX_SHOWN])
    return [number for number in numbers if number is not None]


def _answers() -> dict[int, int]:
    """Return the posted answers, {question id: answer}; a non-numeric answer is kept as invalid, and refused later."""
    given = {}
    for name, text in request.form.items():
        prefix, _, number = name.partition("-")
        question = read_integer(number) if prefix == _QUESTION or (prefix == _COLUMN and text) else None
        if question is not None:
            answer = read_integer(text)
            given[question] = -1 if answer is None else answer
    return given
