"""The first and last page of a passport as it prints now, for the Logo tab: an invented pupil's, never issued."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.permissions import Permission, requires
from cpro.establishments.models import Module
from cpro.establishments.web.modules import close_with
from cpro.passport.previews import get_preview_fingerprint, render_preview
from cpro.passport.web.views.passports import current_letterhead

bp = Blueprint("previews", __name__, url_prefix="/admin/parametres/logo/apercu")
close_with(Module.PASSPORT, bp)


@bp.get("/premiere-page")
@requires(Permission.LOGO_VIEW)
def first_page() -> ResponseReturnValue:
    """Answer with the first page, which shows the logo."""
    return _answer(0)


@bp.get("/derniere-page")
@requires(Permission.STAMP_VIEW)
def last_page() -> ResponseReturnValue:
    """Answer with the last page, which shows the stamp and is therefore restricted to fewer people."""
    return _answer(1)


def _answer(page: int) -> ResponseReturnValue:
    """Answer with a page, rendered only if the browser has no fresh copy."""
    letterhead, now = current_letterhead(), clock.utcnow()
    answer = Response(mimetype="image/png")
    answer.set_etag(f"{get_preview_fingerprint(letterhead, now=now)}-{page}")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    if answer.status_code == 200:
        answer.data = render_preview(letterhead, now=now)[page]
    return answer
