"""Gérer les imports: the deposit, the empty tables, and the lists of an import for those who may see its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from tempfile import TemporaryFile
from typing import IO

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge

from cpro.core import clock, events
from cpro.core.errors import DomainError
from cpro.core.formatting import format_instant
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, can, requires
from cpro.core.spreadsheets import csv_lines
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import announce, current_actor, current_principal
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.registry import registry
from cpro.establishments.models import Establishment
from cpro.establishments.queries import get_current_establishment
from cpro.imports import queries
from cpro.imports.apply.reversal import describe_obstacle
from cpro.imports.errors import AnalysisGone, DepositTooLarge
from cpro.imports.models import ImportRun, RunState
from cpro.imports.parse.files.extraction import MAX_DEPOSIT_SIZE
from cpro.imports.parse.spreadsheet.columns import WorksheetKind, template_csv, template_xlsx
from cpro.imports.runs import admission, listing
from cpro.imports.runs.deposits import deposit
from cpro.imports.runs.lifecycle import describe_failure
from cpro.imports.runs.listing import CHANGE_CHOICES, FINDING_CHOICES
from cpro.imports.runs.refused import record_refused_deposit
from cpro.imports.runs.upload_files import show_name
from cpro.imports.web import presenters
from cpro.imports.web.forms import DepositForm

bp = Blueprint("imports", __name__, url_prefix="/admin/imports")

#: The files and the other fields.
_MAX_REQUEST = MAX_DEPOSIT_SIZE + 64 * 1024
_RECENT = 5
_PIECE_SIZE = 1 << 16
_WORKSHEETS = {"eleves": WorksheetKind.STUDENTS, "personnels": WorksheetKind.STAFF}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("")
@requires(Permission.IMPORTS_MANAGE)
def index() -> ResponseReturnValue:
    """Show what to deposit, the pending analysis, and the last imports."""
    return _page(DepositForm())


@bp.post("")
@requires(Permission.IMPORTS_MANAGE, max_body=_MAX_REQUEST)
def send() -> ResponseReturnValue:
    """Check a deposit, and redirect to its analysis; a refusal writes nothing but its line of the journal."""
    form = DepositForm()
    try:
        run_id = deposit(
            request.files.getlist("files"),
            opens_student_accounts=form.opens_student_accounts.data,
            by=current_actor(),
            now=clock.utcnow(),
        )
    except DomainError as refusal:
        _record_refusal(refusal)
        return _refused(form, refusal)
    return back_to(url_for("imports.show", run_id=run_id))


@bp.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Show an error on the field when a deposit is too large; none of it was read."""
    if not can(current_principal(), Permission.IMPORTS_MANAGE):
        raise Forbidden
    sentence = "Ce dépôt pèse plus de 200 Mo : déposez moins de fichiers à la fois."
    return _refused(DepositForm(formdata=None), DepositTooLarge(sentence))


@bp.get("/modele/<any(eleves, personnels):who>/<any(csv, xlsx):file_format>")
@requires(Permission.IMPORTS_MANAGE)
def template(who: str, file_format: str) -> ResponseReturnValue:
    """Send an empty table, with its titles only."""
    kind = _WORKSHEETS[who]
    is_csv = file_format == "csv"
    answer = Response(template_csv(kind) if is_csv else template_xlsx(kind), mimetype="text/csv" if is_csv else _XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="modele-{who}.{file_format}"'
    return answer


@bp.get("/<int:run_id>/changements")
@requires(Permission.IMPORTS_VIEW)
def changes(run_id: int) -> ResponseReturnValue:
    """List the changes of an import, field by field."""
    run, presenter = queries.get_run(run_id), get_presenter()
    asked = _read_list(CHANGE_CHOICES)
    _announce_consultation(run.label, "modifications", run_id)
    return render_page(
        "imports/changes.html",
        run=run,
        asked=asked,
        choices=CHANGE_CHOICES,
        page=listing.find_changes(run_id, asked).show(lambda each: presenter.present_change(each, run)),
        total=listing.count_changes(run_id, asked),
        above=_above(run),
    )


@bp.get("/<int:run_id>/constats")
@requires(Permission.IMPORTS_VIEW)
def findings(run_id: int) -> ResponseReturnValue:
    """List the findings in the files of an import."""
    run, presenter = queries.get_run(run_id), get_presenter()
    asked = _read_list(FINDING_CHOICES)
    _announce_consultation(run.label, "constats", run_id)
    return render_page(
        "imports/findings.html",
        run=run,
        asked=asked,
        choices=FINDING_CHOICES,
        page=listing.find_findings(run_id, asked).show(presenter.present_finding),
        total=listing.count_findings(run_id, asked),
        above=_above(run),
    )


@bp.get("/<int:run_id>/export/csv")
@requires(Permission.RECORDS_EXPORT, sends_file=True)
def export(run_id: int) -> ResponseReturnValue:
    """Send all the changes and findings of an import, as a file that no spreadsheet executes.

    It is written to disk first, so that it fits in memory at any size, and is sent entirely or not at all. Raises
    `AnalysisGone`.
    """
    run = queries.get_run(run_id)
    if not run.keeps_analysis:
        raise AnalysisGone
    announce(events.exported, "imports", screen=run.label, sought="", file_format="csv")
    file = TemporaryFile()
    for line in csv_lines(get_presenter().list_lines(run)):
        file.write(line.encode())
    answer = Response(_pieces(file), mimetype="text/csv")
    answer.content_length = file.tell()
    answer.headers["Content-Disposition"] = f'attachment; filename="import-{run_id}.csv"'
    return answer


def get_presenter() -> presenters.ImportPresenter:
    """Return the presenter for the signed-in user: the support sees only the last three characters of an INE."""
    is_masked = not can(current_principal(), Permission.INE_READ)
    return presenters.ImportPresenter(masked=is_masked, timezone=registry().timezone())


def list_gate_links(school: Establishment) -> list[dict[str, str]]:
    """Return what prevents the signed-in user from importing, each with a link to fix it."""
    return [
        {
            "text": f"{each.label[0].upper()}{each.label[1:]} de l’établissement manque.",
            "link_url": url_for("settings.establishment", _anchor=each.field),
            "link_label": "Compléter",
        }
        for each in admission.list_missing(school, by=current_actor())
    ]


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file, then close it, and so delete it."""
    with file:
        file.seek(0)
        while piece := file.read(_PIECE_SIZE):
            yield piece


def _announce_consultation(label: str, what: str, run_id: int) -> None:
    """Announce that an import is consulted: the journal records it for platform staff."""
    announce(
        events.record_opened,
        "imports",
        object_type="import_run",
        object_id=str(run_id),
        object_label=f"{label}, {what}",
    )


def _read_list(choices: Mapping[str, Mapping[str, str]]) -> ListState:
    return ListState.read(request.args, request.path, filters=choices, sizes=(listing.PAGE_SIZE,))


def _above(run: ImportRun) -> list[tuple[str, str]]:
    """Return the breadcrumb of an import's lists, the import last: its page, or for some roles its history alone."""
    if can(current_principal(), Permission.IMPORTS_MANAGE):
        return [("Gérer les imports", url_for("imports.index")), (run.label, url_for("imports.show", run_id=run.id))]
    details = url_for("historique_imports.details_view", id=run.id)
    return [("Historique des imports", url_for("historique_imports.index_view")), (run.label, details)]


def _record_refusal(refusal: DomainError) -> None:
    """Record that files were refused for what they are."""
    names = [show_name(each.filename) for each in request.files.getlist("files") if each.filename]
    if names and refusal.field == "files" and refusal.status == 422:
        with unit_of_work():
            record_refused_deposit(names, refusal, by=current_actor(), now=clock.utcnow())


def _refused(form: DepositForm, refusal: DomainError) -> ResponseReturnValue:
    form.blame(refusal)
    return _page(form, refusal.status)


def _page(form: DepositForm, status: int = 200) -> ResponseReturnValue:
    school = get_current_establishment()
    timezone = registry().timezone()
    recent = queries.list_recent_runs(_RECENT)
    pending = queries.find_open_run()
    now = clock.utcnow()
    undoable = queries.find_undoable(now)
    return render_page(
        "imports/index.html",
        form=form,
        gate=list_gate_links(school),
        uses_siecle=school.uses_siecle,
        pending=pending if pending and pending.state is not RunState.REPLACED else None,
        undoable=undoable if undoable and not describe_obstacle(undoable, now=now) else None,
        rows=[
            {
                "run": run,
                "when": format_instant(run.created_at, timezone),
                "files": presenters.describe_files(run),
                "summary": presenters.summarise_run(run)
                or (describe_failure(run) if run.state is RunState.FAILED else ""),
                "level": presenters.get_level(run.state),
            }
            for run in recent
        ],
        status=status,
    )
