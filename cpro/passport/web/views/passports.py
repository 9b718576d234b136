"""A pupil's passport, and the export of all their data."""

from __future__ import annotations

import io
import json
import zipfile

from flask import Blueprint, current_app, redirect, send_file, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError, NotFound
from cpro.core.mail import public_link
from cpro.core.permissions import Permission, requires
from cpro.core.storage import FileStorage
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import asks_for_headers, render_page
from cpro.establishments.gate import GateClosed
from cpro.establishments.models import Module
from cpro.establishments.queries import get_current_establishment
from cpro.establishments.web.gate_links import list_passport_obstacles
from cpro.establishments.web.modules import close_with
from cpro.passport import operations
from cpro.passport.errors import ModuleOff
from cpro.passport.letterhead import Letterhead, get_letterhead
from cpro.passport.pdf import Passport, render_passport
from cpro.passport.queries import get_portfolio
from cpro.records.export import build_export
from cpro.records.operations.rules import check_may_read
from cpro.records.queries import find_own_pupil, get_pupil
from cpro.students.models import Student

bp = Blueprint("passport", __name__)
close_with(Module.PASSPORT, bp, keeps={"passport.own_data"})  # pupils may always export their own data


@bp.errorhandler(GateClosed)
@bp.errorhandler(ModuleOff)
def show_closed(refusal: DomainError) -> ResponseReturnValue:
    """Explain why no passport can be exported, with links for those who may change it."""
    return render_page(
        "passport/closed.html", status=refusal.status, message=refusal.message, reasons=list_passport_obstacles()
    )


@bp.get("/passeport/<int:student_id>.pdf")
@requires(Permission.PASSPORT_EXPORT)
def of_pupil(student_id: int) -> ResponseReturnValue:
    """Export the passport of a pupil, present or departed: render it and issue it.

    Of a row that was merged, the passport is that of the row kept.
    """
    student = get_pupil(student_id)
    check_may_read(student, current_actor())
    if student.merged_into_id is not None:
        return redirect(url_for(".of_pupil", student_id=student.merged_into_id))
    return _answer_passport(student)


@bp.get("/mon-passeport.pdf")
@requires(Permission.OWN_PASSPORT)
def own() -> ResponseReturnValue:
    """Export the passport of the signed-in pupil."""
    return _answer_passport(_own_pupil())


@bp.get("/mon-compte/mes-donnees.zip")
@requires(Permission.OWN_PASSPORT, code_again=True, sends_file=True)
def own_data() -> ResponseReturnValue:
    """Answer a pupil with all data kept about them: records as JSON, and the passport where it may be exported."""
    student = _own_pupil()
    if asks_for_headers():
        return download(b"", "application/zip", "mes-donnees.zip")
    data, passport = build_export(student, now=clock.utcnow()), None
    try:
        passport = _render(student)
        data["passeport"] = "Le passeport est le fichier passeport.pdf de cette archive."
    except (GateClosed, ModuleOff) as refusal:
        data["passeport"] = f"Le passeport n’a pas pu être exporté. {refusal.message}"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mes-donnees.json", json.dumps(data, ensure_ascii=False, indent=2))
        if passport:
            archive.writestr("passeport.pdf", passport.content)
    with unit_of_work():
        operations.record_own_data_export(student, passport, by=current_actor(), now=clock.utcnow())
    return download(stream.getvalue(), "application/zip", "mes-donnees.zip")


def current_letterhead() -> Letterhead:
    """Return the current letterhead of the current school."""
    return get_letterhead(
        get_current_establishment(),
        storage=FileStorage(current_app.config["CPRO_UPLOADS"]),
        check_url=public_link("/verifier"),
    )


def download(content: bytes, mimetype: str, name: str) -> ResponseReturnValue:
    """Respond with a file to save."""
    return send_file(io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name)


def _answer_passport(student: Student) -> ResponseReturnValue:
    if asks_for_headers():
        return download(b"", "application/pdf", "passeport.pdf")
    passport = _render(student)
    with unit_of_work():
        operations.issue_passport(passport, by=current_actor(), now=clock.utcnow())
    return download(passport.content, "application/pdf", passport.file_name)


def _render(student: Student) -> Passport:
    """Render a passport outside any transaction: it takes longer than a transaction may."""
    operations.check_can_export(get_current_establishment())
    return render_passport(get_portfolio(student), current_letterhead(), now=clock.utcnow())


def _own_pupil() -> Student:
    student = find_own_pupil(current_actor().id or 0)
    if student is None:
        raise NotFound("Votre compte n’est relié à aucun apprenant\u202f: demandez-le à votre établissement.")
    return student
