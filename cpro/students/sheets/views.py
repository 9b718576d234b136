"""Ask for activation sheets and receive them: the answer to the POST is the document, which exists nowhere else."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, current_app, flash, make_response, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict

from cpro.core import clock
from cpro.core.errors import DomainError, PasswordNeeded
from cpro.core.formatting import format_count, person_name, plural
from cpro.core.forms import posted
from cpro.core.mail import public_link
from cpro.core.permissions import Permission, Role, requires
from cpro.core.registry import registry
from cpro.core.storage import FileStorage
from cpro.core.transactions import unit_of_work
from cpro.core.web import current_actor, render_page
from cpro.establishments.gate import GateClosed
from cpro.establishments.gate_links import describe_missing
from cpro.establishments.models import PictureKind
from cpro.establishments.queries import find_picture, get_current_establishment
from cpro.students import queries
from cpro.students.accounts.queries import Selection, get_candidates
from cpro.students.accounts.views import fields_of
from cpro.students.sheets.forms import SheetsForm
from cpro.students.sheets.operations import Batch, Target, draw_target_sheets, list_target_accounts
from cpro.users.operations.sheets import left_out_sentence
from cpro.users.sheets import SchoolOnSheet, render_sheets, sheet_lines

bp = Blueprint("sheets", __name__)

_NAMED = 10
_PREPARED = ("division", "ids", "eleves", "pour", "role")
_MIMETYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


@bp.get("/admin/utilisateurs/fiches")
@requires(Permission.USERS_EDIT)
def choose() -> ResponseReturnValue:
    """Show the form, prepared for a division, a role, accounts (`ids`) or pupils (`eleves`) chosen in a list."""
    asked = [(name, value) for name, value in request.args.items(multi=True) if name in _PREPARED]
    defaults = [("layout", "8"), ("format", "pdf")]
    return _page(SheetsForm(ImmutableMultiDict([*asked, *defaults])))


@bp.post("/admin/utilisateurs/fiches")
@requires(Permission.USERS_EDIT)
def draw() -> ResponseReturnValue:
    """Draw the codes and answer with the document. An error while drawing it leaves the earlier codes good."""
    form = SheetsForm(posted())
    form.offer(queries.list_divisions())
    if not form.validate():
        return _page(form, 409 if describe_missing() else 422)
    try:
        _ask_password_again(form)
        with unit_of_work():
            batch = draw_target_sheets(
                form.target(), reset=bool(form.reset.data), by=current_actor(), now=clock.utcnow()
            )
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
    form.show_choice()
    target = form.target()
    return render_page(
        "users/sheets.html",
        form=form,
        people=_describe_people(form, target),
        to_open=_describe_missing_accounts(form, target),
        missing=describe_missing(),
        status=status,
    )


def _describe_people(form: SheetsForm, target: Target) -> str:
    """Return who was named by a list, in a sentence, or nothing: « 2 comptes choisis : AGATE Noé, AMBRE Éloïse »."""
    if not form.names_people:
        return ""
    accounts = list_target_accounts(target)
    told = plural(len(accounts), "compte choisi", "comptes choisis")
    names = [person_name(each.last_name, each.first_name) for each in accounts[:_NAMED]]
    return f"{told}\u202f: {', '.join(names)}{'…' if len(accounts) > _NAMED else ''}" if names else told


def _describe_missing_accounts(form: SheetsForm, target: Target) -> dict[str, str] | None:
    """Return who among those meant has no account yet, and the link that opens them, or None."""
    selection = Selection(is_everyone=True)
    if target.account_ids or target.role not in (None, Role.STUDENT):
        return None
    if target.student_ids:
        selection = Selection(student_ids=target.student_ids)
    elif target.division_id is not None:
        selection = Selection(division=queries.get_division(target.division_id).code)
    number = get_candidates(selection).to_open
    if not number:
        return None
    text = plural(number, "élève présent n’a pas encore de compte", "élèves présents n’ont pas encore de compte")
    where = f" dans la division {selection.division}" if selection.division else ""
    return {
        "text": f"{text}{where}\u202f: sans compte, pas de fiche.",
        "link_url": url_for("pupil_accounts.open_accounts", **fields_of(selection)),
        "link_label": "Ouvrir un compte" if number == 1 else f"Ouvrir les comptes ({format_count(number)})",
    }
