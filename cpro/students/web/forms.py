"""Forms of students, divisions, diplomas, courses and accounts: labels and shape; the rules are in operations."""

from __future__ import annotations

from wtforms import BooleanField, EmailField, SelectChoice, SelectField, StringField
from wtforms.fields import Field

from cpro.core.web.forms import DayField, VersionedForm
from cpro.core.web.screens.lookups import LookupField
from cpro.users.operations.manual import CIVILITIES, MANUAL_ROLES

_CIVILITY_CHOICES = [SelectChoice(civility, civility or "non précisée") for civility in CIVILITIES]


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


class UserForm(VersionedForm):
    """A person who will sign in; the login is made from the name."""

    role = SelectField(
        "Rôle", choices=[SelectChoice(role.value, role.label) for role in MANUAL_ROLES], validate_choice=False
    )
    student = SelectField(
        "Élève",
        validate_choice=False,
        description="Pour un apprenant : l’élève à qui appartient le compte, qui en portera le nom.",
    )
    civility = SelectField("Civilité", choices=_CIVILITY_CHOICES, validate_choice=False)
    last_name = StringField("Nom")
    first_name = StringField("Prénom")
    email = EmailField(
        "Adresse électronique",
        description="Facultative : elle sert à « Mot de passe oublié », une fois que la personne l’a confirmée. À "
        "laisser vide pour un chef d’établissement.",
    )
    discipline = StringField("Discipline", description="Pour un enseignant.")
    divisions = StringField(
        "Divisions",
        description="Pour un enseignant : leurs codes séparés par des virgules, comme 2MELEC, TMELEC.",
    )
