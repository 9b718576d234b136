"""Forms of fiches, évaluations, bilans and of the tab Conservation: French labels; the operations enforce the rules."""

from __future__ import annotations

from wtforms import RadioField, SelectChoice, SelectField, StringField

from cpro.core.web.forms import BaseForm, DayField, VersionedForm, marked_required
from cpro.core.web.richtext import RichTextField
from cpro.records.models import Level, Place

_LEVELS = [SelectChoice(str(level.value), f"{level.value} – {level.label}") for level in Level]


class FicheForm(VersionedForm):
    """A fiche."""

    title = StringField("Titre", [marked_required], description="En quelques mots, la situation.")
    place = RadioField(
        "Où cela s’est passé",
        [marked_required],
        choices=[SelectChoice(place.value, place.label[0].upper() + place.label[1:]) for place in Place],
        validate_choice=False,
    )
    place_name = StringField("Nom du lieu", description="L’entreprise, ou l’atelier. Peut rester vide.")
    starts_on = DayField("Premier jour", [marked_required])
    ends_on = DayField("Dernier jour", [marked_required], description="Le même que le premier pour une seule journée.")
    tasks = RichTextField("Tâches réalisées")


class BilanForm(VersionedForm):
    """A bilan."""

    starts_on = DayField("Du", [marked_required])
    ends_on = DayField("Au", [marked_required])
    body = RichTextField("Bilan de la période", [marked_required])


class CommonEvaluationForm(VersionedForm):
    """Fields common to an évaluation of one pupil and of a division."""

    competence = SelectField("Compétence", [marked_required], validate_choice=False)
    evaluated_on = DayField("Jour de l’évaluation", [marked_required])
    scenario = SelectField("Scénario", description="Celui de la séance, s’il y en a un.", validate_choice=False)


class GridForm(BaseForm):
    """Fields common to the levels of a grid; the view reads its cells."""

    evaluated_on = DayField(
        "Jour de l’évaluation",
        [marked_required],
        description="Un autre jour montre ce que vous y aviez donné.",
    )
    scenario = SelectField("Scénario", description="Celui de la séance, s’il y en a un.", validate_choice=False)


class EvaluationForm(CommonEvaluationForm):
    """An évaluation of one pupil."""

    level = RadioField("Niveau", [marked_required], choices=_LEVELS, validate_choice=False)
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
