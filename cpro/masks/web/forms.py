"""The wordings of one diploma: shape only."""

from __future__ import annotations

from wtforms import StringField

from cpro.core.web.forms import VersionedForm, checked
from cpro.masks.models import MaskKey
from cpro.masks.operations import check_wording


class MasksForm(VersionedForm):
    """One field per key of `MaskKey`; blank keeps the default."""


for _key in MaskKey:
    setattr(MasksForm, _key.value, StringField(_key.label, [checked(check_wording)]))
