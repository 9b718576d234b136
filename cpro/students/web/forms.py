"""The form of a course, which may link its other years at once; the others are generated from the model."""

from __future__ import annotations

from wtforms import BooleanField

from cpro.core.web.forms import VersionedForm
from cpro.core.web.screens import field_of
from cpro.students.models import MEF


class MEFForm(VersionedForm):
    """A course of the ministry's list, corrected: its code is what it is."""

    label = field_of(MEF, "label", help="Le fichier Nomenclature le donne aussi.")
    diploma = field_of(MEF, "diploma")
    other_years = BooleanField("Rattacher aussi les autres années de cette formation", default=True)
