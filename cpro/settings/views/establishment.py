"""Paramètres: the tabs Établissement, Transferts and Logo; help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage as Upload

from cpro.core import clock
from cpro.core.concurrency import fingerprint
from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import join_french
from cpro.core.permissions import Permission, can, requires
from cpro.core.storage import FileStorage
from cpro.core.transactions import unit_of_work
from cpro.core.web.conflicts import describe_kept, explain
from cpro.core.web.registry import registry
from cpro.core.web.responses import back_to, current_actor, current_principal, render_page
from cpro.establishments import queries
from cpro.establishments.imaging import MAX_BYTES
from cpro.establishments.models import Establishment, PictureKind
from cpro.establishments.operations.particulars import (
    RULES,
    get_particulars,
    is_email_changed,
    update_particulars,
)
from cpro.establishments.operations.pictures import create_picture, delete_picture, undo_picture
from cpro.establishments.operations.transfers_switch import get_switch_values, update_transfers_switch
from cpro.establishments.suggestions import ACADEMIES, SCHOOL_KINDS
from cpro.establishments.web.forms import NO, YES, ParticularsForm, PicturesForm, TransfersForm
from cpro.establishments.web.hooks import password_given, settings_frame

bp = Blueprint("settings", __name__)

#: Two pictures and the fields around them.
_MAX_PICTURES = 2 * MAX_BYTES + 64 * 1024


@bp.get("/admin/parametres/")
@requires(Permission.PARTICULARS_VIEW)
def index() -> ResponseReturnValue:
    """Lead to the first tab."""
    return redirect(url_for("settings.establishment"), 303)


# --- Établissement -------------------------------------------------------------------------------------------------


@bp.get("/admin/parametres/etablissement")
@requires(Permission.PARTICULARS_VIEW)
def establishment() -> ResponseReturnValue:
    """Show the particulars."""
    school = queries.get_current_establishment()
    stored = get_particulars(school)
    return _particulars_page(ParticularsForm.opened(stored, about=("establishment", school.id)), school)


@bp.post("/admin/parametres/etablissement")
@requires(Permission.ESTABLISHMENT_EDIT, keeps_typed_form=True)
def save_establishment() -> ResponseReturnValue:
    """Save the particulars."""
    school = queries.get_current_establishment()
    form = ParticularsForm.sent(get_particulars(school), about=("establishment", school.id))
    if not form.validate():
        return _particulars_page(form, school, form.status)
    values = {name: form[name].data for name in RULES}
    try:
        known = password_given(form) if is_email_changed(values) else False
        with unit_of_work():
            changes = update_particulars(
                values, opened_on=form.version.data, password_given=known, by=current_actor(), now=clock.utcnow()
            )
    except DomainError as refusal:
        return _particulars_page(form, queries.get_current_establishment(), refusal.status, refusal)
    return back_to(url_for("settings.establishment"), _what_changed(form, changes))


def _particulars_page(
    form: ParticularsForm, school: Establishment, status: int = 200, refusal: DomainError | None = None
) -> ResponseReturnValue:
    stored = get_particulars(school)
    return render_page(
        "settings/establishment.html",
        form=form,
        conflict=explain(form, refusal, stored=stored),
        sections=registry().sections("establishment"),
        uai_locked=school.uai_locked_at is not None,
        kinds=SCHOOL_KINDS,
        academies=ACADEMIES,
        read_only=not can(current_principal(), Permission.ESTABLISHMENT_EDIT),
        status=status,
        records_url=url_for("etablissements.details_view", id=school.id)
        if can(current_principal(), Permission.ESTABLISHMENT_VIEW)
        else None,
        **settings_frame("establishment"),
    )


# --- Transferts ----------------------------------------------------------------------------------------------------


@bp.get("/admin/parametres/transferts")
@requires(Permission.TRANSFERS_VIEW)
def transfers() -> ResponseReturnValue:
    """Show the transfers switch."""
    school = queries.get_current_establishment()
    return _transfers_page(TransfersForm.opened(_switch_as_typed(school), about=("establishment", school.id)))


@bp.post("/admin/parametres/transferts")
@requires(Permission.TRANSFERS_EDIT, keeps_typed_form=True)
def save_transfers() -> ResponseReturnValue:
    """Save the transfers switch."""
    school = queries.get_current_establishment()
    form = TransfersForm.sent(_switch_as_typed(school), about=("establishment", school.id))
    if not form.validate():
        return _transfers_page(form, form.status)
    stopped = _what_switching_off_stops(form)
    if stopped and request.form.get("confirme") != YES:
        return _switching_off_page(form, stopped)
    try:
        with unit_of_work():
            changes = update_transfers_switch(
                cnil_kind=form.cnil_kind.data,
                cnil_reference=form.cnil_reference.data,
                transfers_enabled=form.transfers_enabled.data == YES,
                uses_siecle=form.uses_siecle.data == YES,
                opened_on=form.version.data,
                by=current_actor(),
                now=clock.utcnow(),
            )
    except DomainError as refusal:
        return _transfers_page(form, refusal.status, refusal)
    return back_to(url_for("settings.transfers"), _what_changed(form, changes))


def _what_switching_off_stops(form: TransfersForm) -> list[str]:
    """Return what a person must read before transfers are switched off; nothing for any other change.

    A script that posts the documented fields alone, without the version of a form it was shown, is taken at its word.
    """
    school = queries.get_current_establishment()
    is_as_shown = form.version.data == fingerprint(get_switch_values(school))
    if not school.transfers_enabled or form.transfers_enabled.data != NO or not is_as_shown:
        return []
    return [line.text for line in registry().consequences("transfers-off")]


def _switching_off_page(form: TransfersForm, consequences: list[str]) -> ResponseReturnValue:
    return render_page(
        "confirm.html",
        title="Désactiver les transferts",
        question="Désactiver les transferts ?",
        consequences=[*consequences, *describe_kept(form)],
        action_url=url_for("settings.save_transfers"),
        fields={**{each.name: each.data for each in form}, "confirme": YES},
        submit_label="Désactiver les transferts",
        cancel_url=url_for("settings.transfers"),
        danger=True,
    )


def _switch_as_typed(school: Establishment) -> dict[str, str]:
    values = get_switch_values(school)
    return {name: (YES if value else NO) if isinstance(value, bool) else value for name, value in values.items()}


def _transfers_page(form: TransfersForm, status: int = 200, refusal: DomainError | None = None) -> ResponseReturnValue:
    school = queries.get_current_establishment()
    return render_page(
        "settings/transfers.html",
        form=form,
        conflict=explain(form, refusal, stored=_switch_as_typed(school)),
        read_only=not can(current_principal(), Permission.TRANSFERS_EDIT),
        follow_up=registry().sections("transfers-follow-up"),
        sections=registry().sections("transfers"),
        status=status,
        **settings_frame("transfers"),
    )


# --- Logo ----------------------------------------------------------------------------------------------------------


@bp.get("/admin/parametres/logo")
@requires(Permission.LOGO_VIEW)
def pictures() -> ResponseReturnValue:
    """Show the logo and the stamp."""
    return _pictures_page()


@bp.post("/admin/parametres/logo/televerser/<any(logo, cachet):kind>")
@requires(Permission.PICTURES_EDIT, max_body=_MAX_PICTURES)
def upload_picture(kind: str) -> ResponseReturnValue:
    """Deposit the pictures that the page has chosen, whichever button is pressed; each acts at once, for itself.

    A file named `file` is that of the address.
    """
    form, chosen = PicturesForm(request.files), _chosen_pictures(PictureKind(kind))
    if not chosen:
        form.blame(DomainError("Choisissez d’abord une image sur votre ordinateur.", field=kind))
    saved = [which for which, upload in chosen.items() if _deposit(form, which, upload.read())]
    sentence = f"{_named(saved)} Vous pouvez annuler pendant 30 jours." if saved else ""
    if not form.errors:
        return back_to(url_for("settings.pictures"), sentence)
    if sentence:
        flash(sentence, "success")
    return _pictures_page(form, DomainError.status)


@bp.route("/admin/parametres/logo/supprimer/<any(logo, cachet):kind>", methods=["GET", "POST"])
@requires(Permission.PICTURES_EDIT)
def remove_picture(kind: str) -> ResponseReturnValue:
    """Ask once, then delete a picture."""
    which = PictureKind(kind)
    if request.method == "POST":
        with unit_of_work():
            delete_picture(which, by=current_actor(), now=clock.utcnow())
        return back_to(
            url_for("settings.pictures"), f"Le {which.label} est supprimé. Vous pouvez annuler pendant 30 jours."
        )
    if queries.find_picture(which) is None:
        raise NotFound(f"Il n’y a pas de {which.label} à supprimer.")
    return render_template(
        "confirm.html",
        title=f"Supprimer le {which.label}",
        question=f"Supprimer le {which.label} ?",
        consequences=[
            f"Les passeports exportés ensuite n’auront plus de {which.label}.",
            "Vous pourrez annuler la suppression pendant 30 jours.",
        ],
        action_url=url_for("settings.remove_picture", kind=kind),
        fields={},
        submit_label=f"Supprimer le {which.label}",
        cancel_url=url_for("settings.pictures"),
        danger=True,
    )


@bp.post("/admin/parametres/logo/annuler/<any(logo, cachet):kind>")
@requires(Permission.PICTURES_EDIT)
def undo_picture_change(kind: str) -> ResponseReturnValue:
    """Undo the last deposit or deletion."""
    which = PictureKind(kind)
    try:
        with unit_of_work():
            undo_picture(which, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        form = PicturesForm()
        form.blame(refusal)
        return _pictures_page(form, refusal.status)
    for upload in _chosen_pictures(which).values():
        flash(f"« {(upload.filename or '')[:100]} » n’a pas été déposé : choisissez-le à nouveau.", "warning")
    return back_to(url_for("settings.pictures"), f"Le {which.label} est revenu à ce qu’il était avant.")


@bp.get("/admin/parametres/logo/image/logo", defaults={"kind": "logo"}, endpoint="logo_image")
@requires(Permission.LOGO_VIEW)
def logo_image(kind: str) -> ResponseReturnValue:
    """Send the logo."""
    return _send_picture(PictureKind(kind))


@bp.get("/admin/parametres/logo/image/cachet", defaults={"kind": "cachet"}, endpoint="stamp_image")
@requires(Permission.STAMP_VIEW)
def stamp_image(kind: str) -> ResponseReturnValue:
    """Send the stamp: whoever has it could print it on anything."""
    return _send_picture(PictureKind(kind))


def _send_picture(kind: PictureKind) -> ResponseReturnValue:
    picture = queries.find_picture(kind)
    if picture is None:
        raise NotFound(f"Aucun {kind.label} n’a été déposé.")
    answer = send_file(
        _storage().path(picture.stored_name), mimetype=picture.mimetype, conditional=True, etag=True, max_age=0
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _chosen_pictures(addressed: PictureKind) -> dict[PictureKind, Upload]:
    """Return the files that were chosen; the browser sends the others without a name."""
    sent = {kind: request.files.get(kind.value) for kind in PictureKind}
    sent[addressed] = sent[addressed] or request.files.get("file")
    return {kind: upload for kind, upload in sent.items() if upload}


def _deposit(form: PicturesForm, which: PictureKind, content: bytes) -> bool:
    """Deposit one picture; a refusal is written beside its field."""
    try:
        with unit_of_work():
            create_picture(which, content, storage=_storage(), by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        refusal.field = which.value
        form.blame(refusal)
        return False
    return True


def _named(kinds: Sequence[PictureKind]) -> str:
    names = join_french([f"le {kind.label}" for kind in kinds]).capitalize()
    return f"{names} {'sont enregistrés' if len(kinds) > 1 else 'est enregistré'}."


def _pictures_page(form: PicturesForm | None = None, status: int = 200) -> ResponseReturnValue:
    now, principal = clock.utcnow(), current_principal()
    kinds = [PictureKind.LOGO, *([PictureKind.STAMP] if can(principal, Permission.STAMP_VIEW) else [])]
    return render_page(
        "settings/pictures.html",
        form=form or PicturesForm(),
        states=[
            (queries.get_picture_state(kind, now=now), registry().sections(f"picture-{kind.value}")) for kind in kinds
        ],
        read_only=not can(principal, Permission.PICTURES_EDIT),
        status=status,
        **settings_frame("pictures"),
    )


def _storage() -> FileStorage:
    return FileStorage(current_app.config["CPRO_UPLOADS"])


# --- Shared by the tabs --------------------------------------------------------------------------------------------


def _what_changed(form: Any, changes: dict[str, Any]) -> str:
    if not changes:
        return "Rien n’a changé : tout était déjà enregistré ainsi."
    labels = ", ".join(form[name].label.text for name in changes)
    return f"Enregistré : {labels}."
