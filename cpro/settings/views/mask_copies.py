"""Paramètres, the tab Masque de saisie: compare the wordings of two diplomas, copy those of one to the other."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cpro.audit.queries import find_latest
from cpro.core import clock
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.pages import back_to, render_page
from cpro.masks.models import MaskKey
from cpro.masks.operations import SameDiploma, copy_wordings, get_copied_values
from cpro.masks.queries import get_labels
from cpro.masks.web.forms import get_draft_key
from cpro.settings.tabs import settings_frame
from cpro.settings.views.masks import asked_diploma, bp
from cpro.students.models import Diploma
from cpro.students.queries import list_diplomas


@bp.get("/comparer")
@requires(Permission.MASKS_VIEW)
def compare() -> ResponseReturnValue:
    """Show the wordings of a diploma beside the defaults, and beside those of another one once it is chosen."""
    diploma = asked_diploma(request.args.get("diplome", ""))
    code = request.args.get("vers", "")
    other = asked_diploma(code) if code and code != diploma.code else None
    one, two = get_labels(diploma.id), get_labels(other.id) if other else {key: key.default for key in MaskKey}
    lines = [(key, one[key], two[key], one[key] != two[key]) for key in MaskKey]
    return render_page(
        "settings/masks_compared.html",
        diploma=diploma,
        other=other,
        diplomas=list_diplomas(),
        lines=lines,
        differing=sum(differs for *_words, differs in lines),
        may_copy=can(current_principal(), Permission.MASKS_EDIT),
        **settings_frame("masks"),
    )


@bp.route("/copier", methods=["GET", "POST"])
@requires(Permission.MASKS_EDIT)
def copy() -> ResponseReturnValue:
    """Confirm, listing what is replaced, then give a diploma the wordings of another one."""
    source, target = (asked_diploma(request.values.get(name, "")) for name in ("diplome", "vers"))
    if source.id == target.id:
        raise SameDiploma
    if request.method == "POST":
        with unit_of_work():
            changes = copy_wordings(source, target, by=current_actor(), now=clock.utcnow())
            drafts.forget(get_draft_key(target))  # the draft would put the replaced wordings back into the form
            message = _copied(source, target) if changes else _SAME
        return back_to(url_for("masks.edit", diplome=target.code), message)
    changes = get_copied_values(source, target)
    return render_page(
        "confirm.html",
        title="Copier des masques de saisie",
        question=f"Donner au diplôme {target.short_label} les intitulés du diplôme {source.short_label}\u202f?",
        consequences=[
            *(f"«\u202f{old}\u202f» deviendra «\u202f{new}\u202f»." for old, new in changes.values()),
            *(["L’historique des paramètres permet de revenir en arrière."] if changes else [_NOTHING_TO_COPY]),
            *drafts.describe_loss(get_draft_key(target)),
        ],
        action_url=url_for("masks.copy"),
        fields={"diplome": source.code, "vers": target.code},
        submit_label=f"Copier vers {target.short_label}",
        cancel_url=url_for("masks.compare", diplome=source.code, vers=target.code),
        danger=False,
    )


_NOTHING_TO_COPY = "Rien ne changera\u202f: les deux diplômes ont les mêmes intitulés."
_SAME = "Rien n’a changé\u202f: les deux diplômes ont les mêmes intitulés."


def _copied(source: Diploma, target: Diploma) -> str:
    """Return the confirmation of a copy, with a link to the page that undoes it."""
    line = find_latest(["masks:copied"])["masks:copied"]
    return Markup('Le diplôme {} a les intitulés du diplôme {}. <a href="{}">Annuler cette copie</a>').format(
        target.short_label,
        source.short_label,
        url_for("history.ask", entry_id=line.id, retour=url_for("masks.edit", diplome=target.code)),
    )
