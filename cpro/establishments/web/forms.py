"""Forms of the settings tabs: French labels and field shapes; the operations enforce the rules."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField
from wtforms import RadioField, SelectChoice

from cpro.core.formatting import format_size
from cpro.core.shown import labels_of
from cpro.core.web.forms import BaseForm, MayAskPassword, VersionedForm, text_rule
from cpro.core.web.screens import field_of, form_of
from cpro.core.web.uploads import bound_files
from cpro.establishments import imaging
from cpro.establishments.models import CNILKind, Establishment, Module
from cpro.establishments.operations.particulars import RULES

YES, NO = "oui", "non"
_YES_OR_NO = [SelectChoice(YES, "Oui"), SelectChoice(NO, "Non")]
_LABELS = labels_of(Establishment)
_CHOOSE = "Choisissez l’une des réponses proposées."


#: The tab Établissement, built from the model's particulars: every field may be left blank.
ParticularsForm: Any = form_of(Establishment, RULES, (MayAskPassword, VersionedForm), RULES)


def describe_password_prompt(form: Any, school: Establishment) -> None:
    """Set the note under the e-mail address: changing it requires the password, a first address does not."""
    if school.email:
        form.email.description = "Si vous la changez, votre mot de passe vous sera demandé."


class TransfersForm(VersionedForm):
    """The tab Transferts."""

    cnil_kind = RadioField(
        _LABELS["cnil_kind"],
        choices=[SelectChoice(kind.value, kind.label) for kind in CNILKind],
        invalid_choice_message=_CHOOSE,
    )
    cnil_reference = field_of(Establishment, "cnil_reference", text_rule(60))
    transfers_enabled = RadioField(_LABELS["transfers_enabled"], choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)
    uses_siecle = RadioField(_LABELS["uses_siecle"], choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)


class ModulesForm(VersionedForm):
    """The tab Modules: one field per module, named by its value."""

    scenarios = RadioField(Module.SCENARIOS.label, choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)
    passport = RadioField(Module.PASSPORT.label, choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)
    inspectors = RadioField(Module.INSPECTORS.label, choices=_YES_OR_NO, invalid_choice_message=_CHOOSE)


_PICTURE: dict[str, Any] = {
    "description": f"PNG, JPEG, GIF ou WebP, {format_size(imaging.MAX_BYTES)} au plus\u202f; une photo plus lourde est "
    "réduite avant l’envoi par la plupart des navigateurs.",
    "render_kw": bound_files(
        accept="image/png,image/jpeg,image/gif,image/webp",
        max_bytes=imaging.MAX_BYTES,
        refused=imaging.REFUSED_STARTS,
        picture={"side": imaging.MAX_SIDE, "pixels": imaging.MAX_PIXELS},
    ),
}


class PicturesForm(BaseForm):
    """The pictures to deposit, by the name of their kind: both are sent whichever button is pressed."""

    logo = FileField("Choisir une image…", id="file-logo", **_PICTURE)
    cachet = FileField("Choisir une image…", id="file-cachet", **_PICTURE)
