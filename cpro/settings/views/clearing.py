"""Paramètres, the tab Logo: make the white of the stamp transparent, after a preview on white and on grey."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import NotFound
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, requires
from cpro.core.storage import FileStorage
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import back_to, render_page
from cpro.establishments import queries
from cpro.establishments.clearing import clear_paper
from cpro.establishments.imaging import PreparedPicture, UnusablePicture
from cpro.establishments.models import PictureKind, PictureVersion
from cpro.establishments.operations.pictures import replace_by_cleared
from cpro.settings.tabs import settings_frame
from cpro.settings.views import bp


@bp.route("/admin/parametres/logo/transparence", methods=["GET", "POST"])
@requires(Permission.PICTURES_EDIT)
def clear_stamp() -> ResponseReturnValue:
    """Show the stamp with and without its paper, side by side; on POST store the one without."""
    stamp = _get_stamp()
    try:
        cleared = _clear(stamp)
    except UnusablePicture as refusal:
        return render_page(
            "settings/clearing.html", stamp=stamp, refusal=refusal, status=refusal.status, **settings_frame("pictures")
        )
    if request.method == "GET":
        return render_page("settings/clearing.html", stamp=stamp, **settings_frame("pictures"))
    shown = read_id(request.form.get("version", ""))
    with unit_of_work():
        replace_by_cleared(shown, cleared, storage=_storage(), by=current_actor(), now=clock.utcnow())
    return back_to(
        url_for("settings.pictures"), "Le blanc du cachet est transparent. Vous pouvez annuler pendant 30 jours."
    )


@bp.get("/admin/parametres/logo/image/cachet-transparent")
@requires(Permission.PICTURES_EDIT)
def cleared_stamp_image() -> ResponseReturnValue:
    """Send the preview of the stamp without its paper; nothing is stored."""
    stamp = _get_stamp()
    answer = Response(mimetype="image/png")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.set_etag(f"transparent-{stamp.id}")
    if not request.if_none_match.contains(f"transparent-{stamp.id}"):
        answer.set_data(_clear(stamp).content)
    return answer.make_conditional(request)


def _get_stamp() -> PictureVersion:
    stamp = queries.find_picture(PictureKind.STAMP)
    if stamp is None:
        raise NotFound("Aucun cachet n’a été déposé.")
    return stamp


def _clear(stamp: PictureVersion) -> PreparedPicture:
    return _clear_stored(current_app.config["CPRO_UPLOADS"], stamp.stored_name)


@lru_cache(maxsize=4)  # the page, its preview and the stored result share one computation
def _clear_stored(uploads: Path, stored_name: str) -> PreparedPicture:
    with FileStorage(uploads).open(stored_name) as file:
        return clear_paper(file)


def _storage() -> FileStorage:
    return FileStorage(current_app.config["CPRO_UPLOADS"])
