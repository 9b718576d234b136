"""The wordings of one diploma: field shapes only."""

from __future__ import annotations

from wtforms import StringField

from cpro.core.drafts.operations import DraftKey
from cpro.core.web.forms import VersionedForm, checked
from cpro.masks.models import MaskKey
from cpro.masks.operations import check_wording
from cpro.students.models import Diploma


def get_draft_key(diploma: Diploma) -> DraftKey:
    """Return the key of the drafts of the form of a diploma."""
    return DraftKey("masks", diploma.code)


class MasksForm(VersionedForm):
    """One field per key of `MaskKey`; blank keeps the default."""


for _key in MaskKey:
    setattr(MasksForm, _key.value, StringField(_key.label, [checked(check_wording)]))
