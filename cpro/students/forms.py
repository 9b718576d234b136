"""Forms of students, divisions and diplomas: French labels and shape; the rules are those of the operations."""

from __future__ import annotations

from wtforms import StringField
from wtforms.fields import Field
from wtforms.widgets import DateInput

from cpro.core.forms import VersionedForm
from cpro.core.screens.lookups import LookupField


class _DayField(StringField):
    """A day as the browser's own calendar gives it: yyyy-mm-dd, in text, judged by the operation."""

    widget = DateInput()


class StudentForm(VersionedForm):
    """A student, without the INE: only a file brings it."""

    last_name = StringField("Nom de famille")
    usage_name = StringField("Nom d’usage")
    first_name = StringField("Prénom")
    birth_date: Field = _DayField("Date de naissance")
    division = LookupField("Division", description="Son code ; laissez vide si l’élève n’en a pas encore.")


class DivisionForm(VersionedForm):
    """A division."""

    code = StringField("Code", description="8 caractères au plus, par exemple 2MELEC.")
    label = StringField("Intitulé")
    diploma = LookupField("Diplôme préparé", description="Son code ; laissez vide s’il reste à rattacher.")


class DiplomaForm(VersionedForm):
    """A diploma of the school's own."""

    code = StringField("Code", description="Le code officiel du diplôme, ou un mot à vous : 16 caractères au plus.")
    label = StringField("Intitulé complet")
    short_label = StringField("Intitulé court", description="Comme on le dit : « Bac pro MELEC ».")
