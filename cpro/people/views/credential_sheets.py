"""Request activation sheets and download them for half an hour; stored encrypted, under a key in the cookie."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, request, send_file, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict

from cpro.core import clock
from cpro.core.counts import count_rows
from cpro.core.errors import DomainError
from cpro.core.file_names import safe_file_name
from cpro.core.formatting import format_time, plural
from cpro.core.parsing import read_integer
from cpro.core.permissions import Permission, requires
from cpro.core.secrets import new_seal_key
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor, get_principal
from cpro.core.web.forms import typed_before_sign_in
from cpro.core.web.pages import render_page
from cpro.core.web.registry import registry
from cpro.core.web.screens import above
from cpro.establishments.gate import GateClosed
from cpro.establishments.web.gate_links import describe_missing
from cpro.people.forms.credential_sheets import CredentialSheetsForm
from cpro.people.presenters.credential_sheets import (
    describe_left_out,
    describe_missing_accounts,
    describe_no_one,
    describe_people,
    describe_sheets,
    render_documents,
)
from cpro.people.presenters.emergency import describe_waiting_sheets
from cpro.students import queries
from cpro.students.credential_sheets.kept import SheetsGone, get_document, list_documents, read_document
from cpro.students.credential_sheets.models import KeptSheets
from cpro.students.credential_sheets.operations import Batch, create_batch_documents, plan_target_sheets
from cpro.users.credential_sheets import LAYOUTS
from cpro.users.operations.credential_sheets import check_agreed
from cpro.users.queries import select_without_code
from cpro.users.web import refused_forms

bp = Blueprint("credential_sheets", __name__)

#: The lists whose ticked rows lead here, by the field that names them.
_LISTS = {"ids": "utilisateurs", "eleves": "eleves"}
above.stand_below(bp, *_LISTS.values(), carries=lambda _endpoint, _values: True)

_PREPARED = ("division", "ids", "eleves", "pour", "role", "reset", "layout", "format")
#: The cookie's entry with the key to the documents of this sign-in.
_KEY = "sheets_key"
_MIMETYPES = {"pdf": "application/pdf", "csv": "text/csv"}


@bp.get("/admin/utilisateurs/fiches")
@requires(Permission.USERS_EDIT, code_again=True)
def choose() -> ResponseReturnValue:
    """Show the form, prefilled for a division, a role, or accounts (`ids`) or pupils (`eleves`) chosen in a list."""
    if "abandonner" in request.args:  # the form was posted without the chosen people in its address
        refused_forms.forget(get_principal(), url_for("credential_sheets.create"))
    asked = [(name, value) for name, value in request.args.items(multi=True) if name in _PREPARED]
    defaults = [("layout", "8"), ("format", "pdf")]
    return _page(CredentialSheetsForm(typed_before_sign_in() or ImmutableMultiDict([*asked, *defaults])))


@bp.post("/admin/utilisateurs/fiches")
@requires(Permission.USERS_EDIT, keeps_typed_form=True, code_again=True)
def create() -> ResponseReturnValue:
    """Create the codes and redirect to the document's page; first confirm a reset, or codes on paper that become void.

    The document is rendered before anything is written: if rendering fails, the earlier codes remain valid.
    """
    form, now = CredentialSheetsForm(), clock.utcnow()
    _offer(form, now)
    is_confirmed = request.form.get("confirme") == "oui"
    is_valid = form.validate()
    if not is_valid and [*form.errors] != ["current_password"]:  # which the confirmation asks for
        return _page(form, 409 if describe_missing() else 422)
    try:
        batch = plan_target_sheets(form.target(), reset=bool(form.reset.data), by=current_actor(), now=now)
        if (batch.plan.printed or batch.plan.reset) and not (is_confirmed and is_valid):
            return _confirmation(form, batch, 200 if is_valid else 422)
        if not is_valid:
            return _page(form, 422)
        if batch.plan.reset:
            form.compare_password()
        check_agreed(batch.plan, password_given=form.password_was_given, by=current_actor())
        document_id = _create_documents(form, batch, now)
    except GateClosed as refusal:
        return _page(form, refusal.status)
    except DomainError as refusal:
        form.blame(refusal)
        if refusal.field == "current_password":
            return _confirmation(form, batch, refusal.status)
        return _page(form, refusal.status)
    return redirect(url_for("credential_sheets.show", document_id=document_id), 303)


def _create_documents(form: CredentialSheetsForm, batch: Batch, now: datetime) -> int:
    """Render the documents, then store them and their codes; return their id."""
    documents, key = render_documents(batch, layout=read_integer(form.layout.data) or LAYOUTS[-1]), _own_key()
    with unit_of_work():
        return create_batch_documents(
            batch,
            documents,
            file_format=form.format.data,
            key=key,
            sign_in_id=_sign_in_id(),
            password_given=form.password_was_given,
            by=current_actor(),
            now=now,
        ).id


@bp.get("/admin/utilisateurs/fiches/<int:document_id>")
@requires(Permission.USERS_EDIT)
def show(document_id: int) -> ResponseReturnValue:
    """Show what was created, and offer the document for half an hour."""
    try:
        kept = get_document(document_id, sign_in_id=_sign_in_id(), now=clock.utcnow())
        documents = read_document(kept, session.get(_KEY, ""))
    except SheetsGone as refusal:
        return _gone(refusal)
    formats = sorted(documents, key=lambda each: each != kept.file_format)
    return render_page(
        "people/credential_sheets_created.html",
        kept=kept,
        formats=formats,
        until=_time_of(kept),
        waits=describe_waiting_sheets(),
    )


@bp.get("/admin/utilisateurs/fiches/<int:document_id>/fichier")
@requires(Permission.USERS_EDIT, code_again=True, sends_file=True)
def document(document_id: int) -> ResponseReturnValue:
    """Send the document to the browser that created it, in the requested format or the other one (`format`)."""
    try:
        kept = get_document(document_id, sign_in_id=_sign_in_id(), now=clock.utcnow())
        documents = read_document(kept, session.get(_KEY, ""))
    except SheetsGone as refusal:
        return _gone(refusal)
    file_format = request.args.get("format", kept.file_format)
    if file_format not in documents:
        return _gone(SheetsGone())
    return send_file(
        BytesIO(documents[file_format]),
        mimetype=_MIMETYPES[file_format],
        as_attachment=True,
        download_name=safe_file_name("fiches-activation", kept.about, suffix=file_format),
    )


def _confirmation(form: CredentialSheetsForm, batch: Batch, status: int = 200) -> ResponseReturnValue:
    """Ask for confirmation, with who gets a sheet, the codes and passwords voided; for the password, if it resets."""
    number = len(batch.plan.sheets)
    return render_page(
        "confirm.html",
        title="Préparer de nouvelles fiches",
        question=f"Préparer {plural(number, 'fiche', 'fiches')} ({batch.about})\u202f?",
        consequences=describe_sheets(batch.plan, form.target()),
        action_url=url_for("credential_sheets.create"),
        fields={**form.chosen_values(), "confirme": "oui"},
        submit_label=f"Préparer {plural(number, 'fiche', 'fiches')}",
        cancel_url=_again_url(form.chosen_values()),
        danger=True,
        form=form if batch.plan.reset else None,
        status=status,
    )


def _again_url(chosen: Mapping[str, Any]) -> str:
    """Return the URL of the form with these values chosen; what was typed in it is forgotten."""
    asked: dict[str, Any] = {"abandonner": 1}
    asked |= {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in chosen.items()}
    return url_for("credential_sheets.choose", **asked)


def _list_url(form: CredentialSheetsForm) -> str:
    """Return the URL of the list in which the people were chosen, with them ticked again if they were."""
    name = "ids" if form.ids.data else "eleves"
    return above.ticked_list_address(_LISTS[name], url_for(f"{_LISTS[name]}.index_view"), form[name].data)


def _own_key() -> str:
    """Return the key in this sign-in's cookie, generated on first use and stored nowhere else."""
    if _KEY not in session:
        session[_KEY] = new_seal_key()
    return str(session[_KEY])


def _sign_in_id() -> int:
    return get_principal().sign_in_id


def _gone(refusal: SheetsGone) -> ResponseReturnValue:
    return render_page("people/credential_sheets_gone.html", refusal=refusal.message, status=refusal.status)


def _time_of(kept: KeptSheets) -> str:
    """Return until when a document is kept, in the school's time zone."""
    return format_time(kept.expires_at.astimezone(ZoneInfo(registry().timezone())))


def _offer(form: CredentialSheetsForm, now: datetime) -> None:
    form.offer(queries.list_divisions(), without_code=count_rows(select_without_code(now)))


def _page(form: CredentialSheetsForm, status: int = 200) -> ResponseReturnValue:
    _offer(form, clock.utcnow())
    form.show_choice()
    target = form.target()
    to_open = describe_missing_accounts(target)
    nobody = describe_no_one(target, to_open) if form.names_people else None
    missing = describe_missing()
    return render_page(
        "people/credential_sheets.html",
        form=form,
        again_url=_again_url({name: form[name].data for name in _LISTS if form[name].data}),
        list_url=_list_url(form) if form.names_people else "",
        people=[describe_people(target), *describe_left_out(target, by=current_actor())] if form.names_people else [],
        to_open=None if nobody else to_open,
        missing=missing,
        reasons=[*([nobody] if nobody else []), *missing],
        kept=[
            (each, _time_of(each))
            for each in list_documents(sign_in_id=_sign_in_id(), now=clock.utcnow())
            if _KEY in session
        ],
        status=status,
    )
