"""Paramètres: the tab Logo, its two pictures and the pages of a passport that include them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO

from flask import current_app, flash, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.datastructures import FileStorage as Upload

from cpro.core import clock
from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import format_instant, join_french
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, can, requires
from cpro.core.storage import FileStorage, StorageUnavailable
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.pages import back_to, render_page
from cpro.establishments import queries
from cpro.establishments.clearing import has_paper
from cpro.establishments.imaging import MAX_BYTES, prepare_picture, prints_nothing
from cpro.establishments.models import Module, PictureKind, PictureVersion
from cpro.establishments.operations.pictures import create_picture, delete_picture, undo_picture
from cpro.establishments.web.forms import PicturesForm
from cpro.establishments.web.modules import is_on
from cpro.passport.previews import get_preview_fingerprint
from cpro.passport.web.views.passports import current_letterhead
from cpro.settings.tabs import settings_frame
from cpro.settings.views import bp

#: Maximum size of the request: two pictures and the other fields.
_MAX_PICTURES = 2 * MAX_BYTES + 64 * 1024
#: The page of a passport that includes each picture: the endpoints of its image and of its large view, its title and a
#: description.
_PREVIEWS = {
    PictureKind.LOGO: (
        "previews.first_page",
        "settings.first_passport_page",
        "Première page",
        "Première page d’un passeport\u202f: l’en-tête de l’établissement, avec le logo s’il y en a un, puis un "
        "apprenant imaginaire.",
    ),
    PictureKind.STAMP: (
        "previews.last_page",
        "settings.last_passport_page",
        "Dernière page",
        "Dernière page d’un passeport\u202f: la date, le signataire, le cachet s’il y en a un, et la vérification.",
    ),
}


@bp.get("/admin/parametres/logo")
@requires(Permission.LOGO_VIEW)
def pictures() -> ResponseReturnValue:
    """Show the logo and the stamp."""
    return _pictures_page()


@bp.post("/admin/parametres/logo/televerser/<any(logo, cachet):kind>")
@requires(Permission.PICTURES_EDIT, max_body=_MAX_PICTURES)
def upload_picture(kind: str) -> ResponseReturnValue:
    """Store the pictures chosen on the page, whichever button is pressed; each is saved independently.

    A file named `file` belongs to the kind in the address.
    """
    form, chosen = PicturesForm(request.files), _chosen_pictures(PictureKind(kind))
    refusals = {which: refusal for which, upload in chosen.items() if (refusal := _deposit(which, upload.read()))}
    if not chosen:
        refusals[PictureKind(kind)] = DomainError("Choisissez d’abord une image sur votre ordinateur.", field=kind)
    for refusal in refusals.values():
        form.blame(refusal)
    saved = [which for which in chosen if which not in refusals]
    sentence = f"{_named(saved)} Vous pouvez annuler pendant 30 jours." if saved else ""
    if not refusals:
        return back_to(url_for("settings.pictures"), sentence)
    if sentence:
        flash(sentence, "success")
    return _pictures_page(form, max(refusal.status for refusal in refusals.values()))


@bp.route("/admin/parametres/logo/supprimer/<any(logo, cachet):kind>", methods=["GET", "POST"])
@requires(Permission.PICTURES_EDIT)
def remove_picture(kind: str) -> ResponseReturnValue:
    """Confirm, then delete a picture."""
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
    """Undo the last deposit or deletion, the one that the page named."""
    which, shown = PictureKind(kind), read_id(request.form.get("version", ""))
    try:
        with unit_of_work():
            undo_picture(which, version_id=shown, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        form = PicturesForm(formdata=None)
        form.blame(refusal)
        return _pictures_page(form, refusal.status)
    for upload in _chosen_pictures(which).values():
        flash(f"« {(upload.filename or '')[:100]} » n’a pas été déposé : choisissez-le à nouveau.", "warning")
    return back_to(url_for("settings.pictures"), _describe_undone(which))


@bp.get("/admin/parametres/logo/image/logo", defaults={"kind": "logo"}, endpoint="logo_image")
@requires(Permission.LOGO_VIEW)
def logo_image(kind: str) -> ResponseReturnValue:
    """Send the logo."""
    return _send_picture(PictureKind(kind))


@bp.get("/admin/parametres/logo/image/cachet", defaults={"kind": "cachet"}, endpoint="stamp_image")
@requires(Permission.STAMP_VIEW)
def stamp_image(kind: str) -> ResponseReturnValue:
    """Send the stamp, under a separate permission: a copy of it could be printed on anything."""
    return _send_picture(PictureKind(kind))


@bp.get("/admin/parametres/logo/passeport/premiere-page")
@requires(Permission.LOGO_VIEW)
def first_passport_page() -> ResponseReturnValue:
    """Show the first page of a passport, which includes the logo, at a large size."""
    return _passport_page(PictureKind.LOGO)


@bp.get("/admin/parametres/logo/passeport/derniere-page")
@requires(Permission.STAMP_VIEW)
def last_passport_page() -> ResponseReturnValue:
    """Show the last page of a passport, which includes the stamp, at a large size."""
    return _passport_page(PictureKind.STAMP)


def _passport_page(kind: PictureKind) -> ResponseReturnValue:
    preview = _preview(kind)
    if preview is None:
        raise NotFound("L’établissement n’exporte pas de passeports\u202f: il n’y a pas de page à montrer.")
    return render_page("settings/passport_page.html", preview=preview, **settings_frame("pictures"))


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
    """Return the chosen files; the browser sends the others without a name."""
    sent = {kind: request.files.get(kind.value) for kind in PictureKind}
    sent[addressed] = sent[addressed] or request.files.get("file")
    return {kind: upload for kind, upload in sent.items() if upload}


def _deposit(which: PictureKind, content: bytes) -> DomainError | None:
    """Store one picture; return its refusal, which names its field."""
    try:
        prepared = prepare_picture(content)  # outside any lock: it may take seconds, and wait for its turn
        with unit_of_work():
            create_picture(which, prepared, storage=_storage(), by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        refusal.field = which.value
        return refusal
    return None


def _named(kinds: Sequence[PictureKind]) -> str:
    names = join_french([f"le {kind.label}" for kind in kinds]).capitalize()
    return f"{names} {'sont enregistrés' if len(kinds) > 1 else 'est enregistré'}."


def _name_undoing(state: queries.PictureState) -> str:
    """Return the label of the button that undoes the last change of a picture: its effect."""
    if state.before is None:
        return f"Annuler le dépôt : il n’y aura plus aucun {state.kind.label}"
    what = "Annuler" if state.current else "Annuler la suppression"
    return f"{what} : revenir à l’image du {_format_deposit(state.before)}"


def _describe_undone(kind: PictureKind) -> Markup:
    """Return the result of an undo, and where the picture it removed can be found."""
    current = queries.find_picture(kind)
    left = (
        f"Le {kind.label} est revenu à ce qu’il était avant : l’image du {_format_deposit(current)}."
        if current
        else f"Il n’y a plus aucun {kind.label}."
    )
    return Markup('{} Ce qui a été annulé se rétablit pendant 30 jours depuis l’<a href="{}">historique</a>.').format(
        left, url_for("history.index", de="logo")
    )


def _format_deposit(picture: PictureVersion) -> str:
    return format_instant(picture.created_at, queries.get_current_establishment().timezone)


def _pictures_page(form: PicturesForm | None = None, status: int = 200) -> ResponseReturnValue:
    now, principal = clock.utcnow(), current_principal()
    kinds = [PictureKind.LOGO, *([PictureKind.STAMP] if can(principal, Permission.STAMP_VIEW) else [])]
    states = [queries.get_picture_state(kind, now=now) for kind in kinds]
    return render_page(
        "settings/pictures.html",
        form=form or PicturesForm(),
        states=[
            (
                state,
                _preview_if_readable(state.kind),
                _holds(state.current, prints_nothing),
                state.kind is PictureKind.STAMP and _holds(state.current, has_paper),
                _name_undoing(state),
            )
            for state in states
        ],
        read_only=not can(principal, Permission.PICTURES_EDIT),
        status=status,
        **settings_frame("pictures"),
    )


def _holds(picture: PictureVersion | None, question: Callable[[IO[bytes]], bool]) -> bool:
    """Return the answer of a predicate on a stored picture; False when there is no picture to read."""
    if picture is None:
        return False
    try:
        with _storage().open(picture.stored_name) as file:
            return question(file)
    except (DomainError, OSError):  # the page reports that the picture is gone, or how to replace it
        return False


def _storage() -> FileStorage:
    return FileStorage(current_app.config["CPRO_UPLOADS"])


def _preview_if_readable(kind: PictureKind) -> dict[str, str] | None:
    """Return that page for the tab, which still opens when files cannot be read."""
    try:
        return _preview(kind)
    except StorageUnavailable:
        return None


def _preview(kind: PictureKind) -> dict[str, str] | None:
    """Return the page of a passport that includes a picture; None while the school exports none."""
    if not is_on(Module.PASSPORT):
        return None
    image, page, title, alternative = _PREVIEWS[kind]
    version = get_preview_fingerprint(current_letterhead(), now=clock.utcnow())[:12]
    return {"url": url_for(image, v=version), "page_url": url_for(page), "title": title, "alt": alternative}
