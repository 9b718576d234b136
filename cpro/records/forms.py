"""Forms of fiches, évaluations, bilans and of the tab Conservation: French labels; the rules are the operations'."""

from __future__ import annotations

from wtforms import RadioField, SelectChoice, SelectField, StringField
from wtforms.fields import Field

from cpro.core.forms import DayField, VersionedForm, required
from cpro.core.richtext import RichTextField
from cpro.records.models import Level, Place

_LEVELS = [SelectChoice(str(level.value), f"{level.value} – {level.label}") for level in Level]


def _day(label: str, sentence: str, description: str = "") -> Field:
    return DayField(label, [required(sentence)], description=description)


class FicheForm(VersionedForm):
    """A fiche."""

    title = StringField(
        "Titre", [required("Donnez un titre à la fiche.")], description="En quelques mots, la situation."
    )
    place = RadioField(
        "Où cela s’est passé",
        choices=[SelectChoice(place.value, place.label[0].upper() + place.label[1:]) for place in Place],
        validate_choice=False,  # the rule does, and says more
    )
    place_name = StringField("Nom du lieu", description="L’entreprise, ou l’atelier. Peut rester vide.")
    starts_on = _day("Premier jour", "Indiquez le premier jour.")
    ends_on = _day("Dernier jour", "Indiquez le dernier jour.", "Le même que le premier pour une seule journée.")
    tasks = RichTextField("Tâches réalisées")


class BilanForm(VersionedForm):
    """A bilan."""

    starts_on = _day("Du", "Indiquez le premier jour.")
    ends_on = _day("Au", "Indiquez le dernier jour.")
    body = RichTextField("Bilan de la période")


class CommonEvaluationForm(VersionedForm):
    """What évaluations of one pupil or of a division have in common."""

    competence = SelectField("Compétence", [required("Choisissez une compétence.")], validate_choice=False)
    evaluated_on = _day("Jour de l’évaluation", "Indiquez le jour de l’évaluation.")
    scenario = SelectField("Scénario", description="Celui de la séance, s’il y en a un.", validate_choice=False)


class EvaluationForm(CommonEvaluationForm):
    """An évaluation of one pupil."""

    level = RadioField("Niveau", choices=_LEVELS, validate_choice=False)
    fiche = SelectField(
        "Fiche concernée", description="La situation de l’apprenant, s’il y en a une.", validate_choice=False
    )


class RetentionForm(VersionedForm):
    """The tab Conservation."""

    retention_years = RadioField(
        "Conserver les fiches, les évaluations et les bilans après le départ d’un apprenant",
        choices=[SelectChoice("1", "1 an"), SelectChoice("2", "2 ans"), SelectChoice("3", "3 ans")],
        validate_choice=False,
    )
