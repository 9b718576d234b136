"""The public page: what was issued under a code, and whether a copy is that file. No sign-in, nothing personal."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.permissions import public
from cpro.core.printed_codes import group_printed_code, read_printed_code
from cpro.core.web.current_user import remote_address
from cpro.core.web.headers import note_wait
from cpro.core.web.pages import render_page
from cpro.passport.errors import UnusableCopy
from cpro.passport.verification import Issued, find_issued, is_the_file_issued
from cpro.passport.web.forms import CodeForm, CopyForm

bp = Blueprint("verification", __name__, url_prefix="/verifier")


@bp.route("", methods=["GET", "POST"])
@public
def ask() -> ResponseReturnValue:
    """Ask for the code, and redirect to its page."""
    form = CodeForm()
    if form.validate_on_submit():
        code = group_printed_code(read_printed_code(form.code.data[:200]))
        if code.isascii() and code.replace("-", "").isalnum():
            return redirect(url_for("verification.show", code=code), 303)
        form.code.errors = [
            "Ce code ne peut pas être celui d’un passeport\u202f: il ne compte que lettres et chiffres."
        ]
    return render_page("passport/verify.html", form=form, status=form.status)


@bp.route("/<string:code>", methods=["GET", "POST"])
@public
def show(code: str) -> ResponseReturnValue:
    """Show what was issued under a code; compare the copy that is posted."""
    try:
        issued = find_issued(code, address=remote_address(), now=clock.utcnow())
    except DomainError as refusal:
        form = CodeForm(formdata=None, data={"code": code[:60]})
        form.code.errors = [refusal.message]
        note_wait(refusal)
        return render_page("passport/verify.html", form=form, status=refusal.status)
    form = CopyForm(request.files if request.method == "POST" else None)
    if request.method != "POST":
        return _issued_page(issued, form)
    try:
        return _issued_page(issued, form, same=_compare(issued, form))
    except DomainError as refusal:
        form.copy.errors = [refusal.message]
        note_wait(refusal)
        return _issued_page(issued, form, status=refusal.status)


def _compare(issued: Issued, form: CopyForm) -> bool:
    upload = form.copy.data
    if not upload or not upload.filename:
        raise UnusableCopy("Choisissez d’abord le fichier PDF à comparer.", field="copy")
    return is_the_file_issued(issued, upload.stream, address=remote_address(), now=clock.utcnow())


def _issued_page(issued: Issued, form: CopyForm, *, same: bool | None = None, status: int = 200) -> ResponseReturnValue:
    return render_page("passport/issued.html", issued=issued, form=form, same=same, status=status)
