"""Paramètres: the tab Masque de saisie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import NotFound
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.edit_page import EditPage
from cpro.core.web.forms import choice_name, typed_before_sign_in
from cpro.core.web.pages import OWN, back_to, render_page
from cpro.masks.models import MaskKey
from cpro.masks.operations import get_key, get_stored_values, reset_wordings, update_wordings
from cpro.masks.queries import count_wordings_by_diploma, get_labels, list_masks
from cpro.masks.web.forms import MasksForm, get_draft_key
from cpro.settings.tabs import settings_frame
from cpro.students.models import Diploma
from cpro.students.queries import find_diploma, list_diplomas

bp = Blueprint("masks", __name__, url_prefix="/admin/parametres/masques")

#: Values posted by the list of diplomas and the button beside it: show the wordings of another diploma.
OTHER_DIPLOMA = "vers"
#: Posted beside the form's own fields; any other name is taken for a wording, which the rule refuses.
_NOT_WORDINGS = ("diplome", "csrf_token", OTHER_DIPLOMA, *drafts.FIELD_NAMES)


class MasksPage(EditPage[MasksForm]):
    """The form of the wordings of a diploma."""

    form_class, template = MasksForm, "settings/masks.html"

    def __init__(self, code: str) -> None:
        self.code = code
        self.load()
        self.about, self.draft = ("masks", self.diploma.code), get_draft_key(self.diploma)

    def load(self) -> None:
        self.diploma = asked_diploma(self.code)

    def values(self) -> Mapping[str, str]:
        return get_stored_values(list_masks(self.diploma.id))

    def save(self, form: MasksForm) -> tuple[str, str]:
        known = {*_NOT_WORDINGS, *(choice_name(key.value) for key in MaskKey)}
        unknown = {name: text for name, text in request.form.items() if name not in form and name not in known}
        changes = update_wordings(
            self.diploma,
            {**unknown, **{key.value: form[key.value].data for key in MaskKey}},
            opened_on=form.version.data,
            by=current_actor(),
            now=clock.utcnow(),
        )
        message = f"Masques du diplôme {self.diploma.short_label} enregistrés." if changes else "Rien n’a changé."
        return url_for("masks.edit", diplome=self.diploma.code), message

    def context(self, form: MasksForm) -> Mapping[str, Any]:
        return _context(self.diploma)


@bp.get("")
@requires(Permission.MASKS_VIEW)
def edit() -> ResponseReturnValue:
    """Choose a diploma; show its wordings beside the defaults."""
    typed = typed_before_sign_in()
    code = request.args.get("diplome") or (typed.get("diplome", "") if typed else "")
    if not code:
        return render_page(MasksPage.template, form=None, conflict=[], **_context(None))
    return MasksPage(code).show()


@bp.post("")
@requires(Permission.MASKS_EDIT, keeps_typed_form=True)
def save() -> ResponseReturnValue:
    """Save the wordings of a diploma, or keep them as a draft, or show another diploma."""
    page = MasksPage(request.args.get("diplome") or request.form.get("diplome", ""))
    if request.form.get("geste") == OTHER_DIPLOMA and not drafts.is_asked():
        return _show_other(page)
    return page.answer()


@bp.route("/reinitialiser", methods=["GET", "POST"])
@requires(Permission.MASKS_EDIT)
def reset() -> ResponseReturnValue:
    """Confirm, then restore the defaults: all of a diploma, or one field."""
    diploma = asked_diploma(request.values.get("diplome", ""))
    name = request.values.get("key", "")
    key = get_key(name) if name else None
    if request.method == "POST":
        with unit_of_work():
            changes = reset_wordings(diploma, key, by=current_actor(), now=clock.utcnow())
            drafts.forget(get_draft_key(diploma))  # the draft would put the erased wordings back into the form
        message = _restored(diploma, key) if changes else "Rien n’a changé : l’intitulé d’origine était déjà en place."
        return back_to(url_for("masks.edit", diplome=diploma.code), message)
    current = get_stored_values(list_masks(diploma.id))
    lost = [text for field, text in current.items() if text and key in (None, MaskKey(field))]
    return render_template(
        "confirm.html",
        title=f"Réinitialiser {_what(diploma, key)}",
        question=f"Revenir aux intitulés d’origine pour {_what(diploma, key)} ?",
        consequences=[
            *(f"« {text} » sera remplacé par l’intitulé d’origine." for text in lost),
            *([] if lost else ["Aucun intitulé n’a été modifié : rien ne changera."]),
            *drafts.describe_loss(get_draft_key(diploma)),
        ],
        action_url=url_for("masks.reset"),
        fields={"diplome": diploma.code, **({"key": key.value} if key else {})},
        submit_label=f"Réinitialiser {_what(diploma, key)}",
        cancel_url=url_for("masks.edit", diplome=diploma.code),
        danger=True,
    )


def _show_other(shown: MasksPage) -> ResponseReturnValue:
    """Redirect to the wordings of another diploma; unsaved input is kept as a draft."""
    other = asked_diploma(request.form.get(OTHER_DIPLOMA, ""))
    page, left, form = url_for("masks.edit", diplome=other.code), shown.diploma.short_label, MasksForm()
    if all((form[name].data or "") == wording for name, wording in shown.values().items()):
        return back_to(page)
    assert shown.draft is not None, "the wordings keep drafts"
    with unit_of_work():
        drafts.keep_posted(shown.draft)
    return back_to(
        page,
        f"Ce que vous aviez saisi pour le {left} est gardé comme brouillon\u202f: il n’est pas enregistré.",
        OWN,
    )


def _what(diploma: Diploma, key: MaskKey | None) -> str:
    if key is None:
        return f"les masques du diplôme {diploma.short_label}"
    return f"« {key.default} » du diplôme {diploma.short_label}"


def _restored(diploma: Diploma, key: MaskKey | None) -> str:
    if key is None:
        return f"Les masques du diplôme {diploma.short_label} ont repris leurs intitulés d’origine."
    return f"« {key.default} » a repris son intitulé d’origine pour le diplôme {diploma.short_label}."


def asked_diploma(code: str) -> Diploma:
    """Return the diploma of a code, national or of the school, or raise `NotFound`."""
    diploma = find_diploma(code)
    if diploma is None:
        raise NotFound(f"Le diplôme « {code[:20]} » n’existe pas, ou n’est pas proposé à votre établissement.")
    return diploma


def _context(diploma: Diploma | None) -> dict[str, Any]:
    return {
        "diplomas": list_diplomas(),
        "counts": count_wordings_by_diploma(),
        "diploma": diploma,
        "keys": list(MaskKey),
        "other_diploma": OTHER_DIPLOMA,
        "read_only": not can(current_principal(), Permission.MASKS_EDIT),
        "records_url": url_for("masques.index_view"),
        "preview": _preview(diploma) if diploma else None,
        **settings_frame("masks"),
    }


def _preview(diploma: Diploma) -> dict[str, Any]:
    """Return a preview of the scenario screen with the wordings of a diploma."""
    return {
        "labels": {key.value: label for key, label in get_labels(diploma.id).items()},
        "texts": {key.value: key.example for key in MaskKey},
        "links": [{"label": MaskKey.LINKS.example}],
    }
