"""One's own account: the single-key shortcut to the search, on this device."""

from __future__ import annotations

from flask import Blueprint, make_response, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core.permissions import Permission, requires
from cpro.core.web.pages import OWN, back_to
from cpro.core.web.shortcut import keep_search_key

bp = Blueprint("shortcut", __name__, url_prefix="/mon-compte/raccourci")


@bp.post("")
@requires(Permission.OWN_ACCOUNT)
def keep() -> ResponseReturnValue:
    """Turn the shortcut on (`actif` = `oui`) or off."""
    is_on = request.form.get("actif") == "oui"
    state = "mène à la recherche" if is_on else "ne fait plus rien"
    answer = make_response(
        back_to(url_for("users.own_account"), f"Sur cet appareil, la touche «\u202f/\u202f» {state}.", OWN)
    )
    keep_search_key(answer, is_on=is_on)
    return answer
