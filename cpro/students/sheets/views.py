"""Ask for activation sheets and receive them: the answer to the POST is the document, which exists nowhere else."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, current_app, flash, make_response, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict

from cpro.core import clock
from cpro.core.errors import DomainError, PasswordNeeded
from cpro.core.forms import posted
from cpro.core.mail import public_link
from cpro.core.permissions import Permission, requires
from cpro.core.registry import registry
from cpro.core.storage import FileStorage
from cpro.core.transactions import unit_of_work
from cpro.core.web import current_actor, render_page
from cpro.establishments.gate import GateClosed, missing_particulars
from cpro.establishments.models import PictureKind
from cpro.establishments.queries import find_picture, get_current_establishment
from cpro.students import queries
from cpro.students.sheets.forms import SheetsForm
from cpro.students.sheets.operations import Batch, draw_chosen_sheets, draw_division_sheets
from cpro.users.operations.sheets import left_out_sentence
from cpro.users.sheets import SchoolOnSheet, render_sheets, sheet_lines

bp = Blueprint("sheets", __name__)

_MIMETYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


@bp.get("/admin/utilisateurs/fiches")
@requires(Permission.USERS_EDIT)
def choose() -> ResponseReturnValue:
    """Show the form, prepared for a division (`division`) or for chosen accounts (`ids`, repeated)."""
    asked = [(name, value) for name, value in request.args.items(multi=True) if name in ("division", "ids")]
    defaults = [("layout", "8"), ("format", "pdf")]
    return _page(SheetsForm(ImmutableMultiDict([*asked, *defaults])))


@bp.post("/admin/utilisateurs/fiches")
@requires(Permission.USERS_EDIT)
def draw() -> ResponseReturnValue:
    """Draw the codes and answer with the document. An error while drawing it leaves the earlier codes good."""
    form = SheetsForm(posted())
    form.offer(queries.list_divisions())
    if not form.validate():
        return _page(form, 409 if missing_particulars(get_current_establishment()) else 422)
    try:
        _ask_password_again(form)
        with unit_of_work():
            batch = _draw(form)
            content = _document(form, batch)
    except GateClosed as refusal:
        return _page(form, refusal.status)
    except DomainError as refusal:
        form.blame(refusal)
        return _page(form, refusal.status)
    left_out = left_out_sentence(batch.drawn)
    if left_out:
        flash(left_out, "info")  # on the next page: this answer is the document
    answer = make_response(
        send_file(
            BytesIO(content),
            mimetype=_MIMETYPES[form.format.data],
            as_attachment=True,
            download_name=f"fiches-activation.{form.format.data}",
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _ask_password_again(form: SheetsForm) -> None:
    """Compare the password typed where accounts are to be reset; raise a refusal beside its field otherwise."""
    if not form.reset.data:
        return
    if not form.current_password.data:
        raise PasswordNeeded("Pour réinitialiser des comptes")
    registry().check_password(form.current_password.data)


def _draw(form: SheetsForm) -> Batch:
    by, now, reset = current_actor(), clock.utcnow(), bool(form.reset.data)
    if form.ids.data:
        return draw_chosen_sheets(form.ids.data, reset=reset, by=by, now=now)
    division = queries.get_division(int(form.division.data))
    return draw_division_sheets(division, reset=reset, by=by, now=now)


def _document(form: SheetsForm, batch: Batch) -> bytes:
    school, sheets = _school(), batch.drawn.sheets
    if form.format.data == "csv":
        return "".join(sheet_lines(sheets, school, divisions=batch.divisions)).encode()
    return render_sheets(sheets, school, divisions=batch.divisions, layout=int(form.layout.data), now=clock.utcnow())


def _school() -> SchoolOnSheet:
    establishment, logo = get_current_establishment(), find_picture(PictureKind.LOGO)
    content = None
    if logo:
        with FileStorage(current_app.config["CPRO_UPLOADS"]).open(logo.stored_name) as stored:
            content = stored.read()
    return SchoolOnSheet(
        name=establishment.name,
        code=establishment.code,
        address=public_link(f"/{establishment.code}"),
        logo=content,
        logo_name=logo.stored_name if logo else "",
    )


def _page(form: SheetsForm, status: int = 200) -> ResponseReturnValue:
    form.offer(queries.list_divisions())
    chosen = queries.list_accounts(form.ids.data) if form.ids.data else []
    settings = url_for("settings.establishment")
    missing = [
        {
            "text": f"Il manque {each.label} de l’établissement.",
            "link_url": f"{settings}#{each.field}",
            "link_label": "Compléter",
        }
        for each in missing_particulars(get_current_establishment())
    ]
    return render_page("users/sheets.html", form=form, chosen=chosen, missing=missing, status=status)
