"""Paramètres: the tab Masque de saisie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.drafts.operations import DraftKey
from cpro.core.errors import DomainError, NotFound
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.forms import choice_name, posted, typed_before_sign_in
from cpro.core.web.pages import back_to, render_page
from cpro.masks.models import MaskKey
from cpro.masks.operations import get_key, get_stored_values, reset_wordings, update_wordings
from cpro.masks.queries import count_wordings_by_diploma, get_labels, list_masks
from cpro.masks.web.forms import MasksForm
from cpro.settings.tabs import settings_frame
from cpro.students.models import Diploma
from cpro.students.queries import find_diploma, list_diplomas

bp = Blueprint("masks", __name__, url_prefix="/admin/parametres/masques")

#: What the list of diplomas posts, and the button beside it: show the wordings of another diploma.
OTHER_DIPLOMA = "vers"
#: Posted beside the form's own fields; anything else claims to be a wording, which the rule refuses.
_NOT_WORDINGS = ("diplome", "csrf_token", OTHER_DIPLOMA, *drafts.FIELD_NAMES)


@bp.get("")
@requires(Permission.MASKS_VIEW)
def edit() -> ResponseReturnValue:
    """Choose a diploma; show its wordings beside the defaults."""
    typed = typed_before_sign_in()
    code = request.args.get("diplome") or (typed.get("diplome", "") if typed else "")
    if not code:
        return _page(None, None)
    diploma = _asked_diploma(code)
    stored, draft = get_stored_values(list_masks(diploma.id)), drafts.typed(_draft_of(diploma))
    return _page(diploma, MasksForm.opened(stored, draft, about=("masks", diploma.code)))


@bp.post("")
@requires(Permission.MASKS_EDIT, keeps_typed_form=True)
def save() -> ResponseReturnValue:
    """Save the wordings of a diploma, or keep them as a draft, or lead to another diploma."""
    code = request.args.get("diplome") or request.form.get("diplome", "")
    diploma = _asked_diploma(code)
    stored = get_stored_values(list_masks(diploma.id))
    if drafts.is_asked():
        return drafts.answer(_draft_of(diploma), again=lambda: _page(_asked_diploma(code), MasksForm(posted())))
    if request.form.get("geste") == OTHER_DIPLOMA:
        return _show_other(diploma, MasksForm(posted()), stored)
    form = MasksForm.sent(stored, about=("masks", diploma.code))
    if not form.validate():
        return _page(diploma, form, form.status)
    known = {*_NOT_WORDINGS, *(choice_name(key.value) for key in MaskKey)}
    unknown = {name: text for name, text in request.form.items() if name not in form and name not in known}
    try:
        with unit_of_work():
            changes = update_wordings(
                diploma,
                {**unknown, **{key.value: form[key.value].data for key in MaskKey}},
                opened_on=form.version.data,
                by=current_actor(),
                now=clock.utcnow(),
            )
            drafts.saved(_draft_of(diploma))
    except DomainError as refusal:
        return _page(diploma, form, refusal.status, refusal)
    message = f"Masques du diplôme {diploma.short_label} enregistrés." if changes else "Rien n’a changé."
    return back_to(url_for("masks.edit", diplome=diploma.code), message)


@bp.route("/reinitialiser", methods=["GET", "POST"])
@requires(Permission.MASKS_EDIT)
def reset() -> ResponseReturnValue:
    """Ask once, then restore the defaults: all of a diploma, or one field."""
    diploma = _asked_diploma(request.values.get("diplome", ""))
    name = request.values.get("key", "")
    key = get_key(name) if name else None
    if request.method == "POST":
        with unit_of_work():
            changes = reset_wordings(diploma, key, by=current_actor(), now=clock.utcnow())
        message = _restored(diploma, key) if changes else "Rien n’a changé : l’intitulé d’origine était déjà en place."
        return back_to(url_for("masks.edit", diplome=diploma.code), message)
    current = get_stored_values(list_masks(diploma.id))
    lost = [text for field, text in current.items() if text and key in (None, MaskKey(field))]
    return render_template(
        "confirm.html",
        title=f"Réinitialiser {_what(diploma, key)}",
        question=f"Revenir aux intitulés d’origine pour {_what(diploma, key)} ?",
        consequences=[f"« {text} » sera remplacé par l’intitulé d’origine." for text in lost]
        or ["Aucun intitulé n’a été modifié : rien ne changera."],
        action_url=url_for("masks.reset"),
        fields={"diplome": diploma.code, **({"key": key.value} if key else {})},
        submit_label=f"Réinitialiser {_what(diploma, key)}",
        cancel_url=url_for("masks.edit", diplome=diploma.code),
        danger=True,
    )


def _draft_of(diploma: Diploma) -> DraftKey:
    return DraftKey("masks", diploma.code)


def _show_other(diploma: Diploma, form: MasksForm, stored: Mapping[str, str]) -> ResponseReturnValue:
    """Lead to the wordings of another diploma; what was typed here and is not saved is kept as a draft."""
    other = _asked_diploma(request.form.get(OTHER_DIPLOMA, ""))
    key, page = _draft_of(diploma), url_for("masks.edit", diplome=other.code)
    left = diploma.short_label
    if all((form[name].data or "") == wording for name, wording in stored.items()):
        return back_to(page)
    with unit_of_work():
        drafts.keep_posted(key)
    return back_to(
        page, f"Ce que vous aviez saisi pour le {left} est gardé comme brouillon\u202f: il n’est pas enregistré."
    )


def _what(diploma: Diploma, key: MaskKey | None) -> str:
    if key is None:
        return f"les masques du diplôme {diploma.short_label}"
    return f"« {key.default} » du diplôme {diploma.short_label}"


def _restored(diploma: Diploma, key: MaskKey | None) -> str:
    if key is None:
        return f"Les masques du diplôme {diploma.short_label} ont repris leurs intitulés d’origine."
    return f"« {key.default} » a repris son intitulé d’origine pour le diplôme {diploma.short_label}."


def _asked_diploma(code: str) -> Diploma:
    diploma = find_diploma(code)
    if diploma is None:
        raise NotFound(f"Le diplôme « {code[:20]} » n’existe pas, ou n’est pas proposé à votre établissement.")
    return diploma


def _page(
    diploma: Diploma | None, form: MasksForm | None, status: int = 200, refusal: DomainError | None = None
) -> ResponseReturnValue:
    conflict: list[dict[str, Any]] = []
    if form is not None and diploma is not None:
        stored = get_stored_values(list_masks(diploma.id))
        conflict = explain(form, refusal, stored=stored)
    return render_page(
        "settings/masks.html",
        diplomas=list_diplomas(),
        counts=count_wordings_by_diploma(),
        diploma=diploma,
        form=form,
        keys=list(MaskKey),
        conflict=conflict,
        other_diploma=OTHER_DIPLOMA,
        read_only=not can(current_principal(), Permission.MASKS_EDIT),
        status=status,
        records_url=url_for("masques.index_view"),
        preview=_preview(diploma) if diploma else None,
        **settings_frame("masks"),
    )


def _preview(diploma: Diploma) -> dict[str, Any]:
    """Return the scenario screen as it reads with the wordings of a diploma."""
    return {
        "labels": {key.value: label for key, label in get_labels(diploma.id).items()},
        "texts": {key.value: key.example for key in MaskKey},
        "links": [{"label": MaskKey.LINKS.example}],
    }
