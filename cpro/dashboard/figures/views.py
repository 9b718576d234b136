"""« Chiffres de l’année »: the page and its export, for accounts that may read the records of the whole school."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from cpro.core import events
from cpro.core.permissions import Permission, requires
from cpro.core.spreadsheets import csv_lines
from cpro.core.web.current_user import announce
from cpro.core.web.pages import render_page
from cpro.dashboard.figures.presenters import describe_page, list_lines

bp = Blueprint("figures", __name__, url_prefix="/admin/chiffres")


@bp.get("")
@requires(Permission.FIGURES_VIEW)
def index() -> ResponseReturnValue:
    """Show the figures of the school year, beside those of the previous year where they are kept."""
    return render_page("dashboard/figures.html", **describe_page())


@bp.get("/export/csv")
@requires(Permission.FIGURES_VIEW, code_again=True, sends_file=True)
def export() -> ResponseReturnValue:
    """Send the figures by division and diploma as a file; recorded in the journal like any list export."""
    lines = "".join(csv_lines(list_lines()))
    announce(events.exported, "figures", screen="Chiffres de l’année", sought="", file_format="csv")
    answer = Response(lines.encode(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="chiffres.csv"'
    return answer
