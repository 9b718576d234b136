"""The six wordings of one diploma: shape only."""

from __future__ import annotations

from wtforms import StringField

from cpro.core.web.forms import VersionedForm, checked
from cpro.masks.operations import check_wording

_RULE = [checked(check_wording)]


class MasksForm(VersionedForm):
    """One field per key of `MaskKey`; blank keeps the default."""

    description = StringField("Description", _RULE)
    problematic = StringField("Problématique", _RULE)
    equipment = StringField("Matériels et logiciels", _RULE)
    links = StringField("Liens", _RULE)
    resources = StringField("Ressources", _RULE)
    knowledge = StringField("Connaissances", _RULE)
