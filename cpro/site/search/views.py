"""The results page of the header's search."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from cpro.core import events
from cpro.core.permissions import Permission, requires
from cpro.core.web.current_user import announce, get_principal
from cpro.core.web.pages import render_page
from cpro.site.search.groups import list_groups, reads_people

bp = Blueprint("search", __name__)

_LONGEST = 100


@bp.get("/recherche")
@requires(Permission.OWN_ACCOUNT)
def everywhere() -> ResponseReturnValue:
    """Show the search results among everything that the signed-in person may see."""
    principal = get_principal()
    text = request.args.get("q", "").strip()[:_LONGEST]
    if text and reads_people(principal):
        announce(events.search_made, "search", screen="Recherche", sought=f"recherche «\u202f{text}\u202f»")
    groups = list_groups(principal, text) if text else []
    return render_page("search/results.html", everywhere_text=text, groups=groups)
