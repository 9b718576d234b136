"""Forms of students, divisions, diplomas and courses: labels and shape; the rules are in operations."""

from __future__ import annotations

from wtforms import BooleanField, SelectField, StringField
from wtforms.fields import Field

from cpro.core.web.forms import DayField, VersionedForm
from cpro.core.web.screens.lookups import LookupField


class StudentForm(VersionedForm):
    """A student, without the INE: only an import sets it."""

    last_name = StringField("Nom de famille")
    usage_name = StringField("Nom d’usage")
    first_name = StringField("Prénom")
    birth_date: Field = DayField("Date de naissance")
    division = LookupField("Division", description="Son code ; laissez vide si l’élève n’en a pas encore.")


class DivisionForm(VersionedForm):
    """A division."""

    code = StringField("Code", description="8 caractères au plus, par exemple 2MELEC.")
    label = StringField("Intitulé")
    diploma = SelectField("Diplôme préparé", choices=[], validate_choice=False)


class MEFForm(VersionedForm):
    """A course of the ministry's list, corrected: its code is what it is."""

    label = StringField("Intitulé", description="Le fichier Nomenclature le donne aussi.")
    diploma = SelectField("Diplôme préparé", choices=[], validate_choice=False)
    other_years = BooleanField("Rattacher aussi les autres années de cette formation", default=True)


class NewMEFForm(VersionedForm):
    """A course that no file has named yet."""

    code = StringField("Code MEF", description="Onze chiffres ou lettres, par exemple 24725510310.")
    label = StringField("Intitulé")
    diploma = SelectField("Diplôme préparé", choices=[], validate_choice=False)


class DiplomaForm(VersionedForm):
    """A diploma of the school's own."""

    code = StringField("Code", description="Le code officiel du diplôme, ou un mot à vous : 16 caractères au plus.")
    label = StringField("Intitulé complet")
    short_label = StringField("Intitulé court", description="Comme on le dit : « Bac pro MELEC ».")
