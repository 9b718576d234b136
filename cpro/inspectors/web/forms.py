"""Forms of the tab Accès inspecteur: French labels; the operations validate."""

from __future__ import annotations

from wtforms import EmailField, HiddenField, RadioField, SelectChoice, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired
from wtforms.widgets import CheckboxInput, DateInput, ListWidget

from cpro.core.web.forms import BaseForm, DayField, VersionedForm

#: Choices for the diplomas of a mandate: the ticked ones, or all.
CHOSEN, ALL = "choisis", "tous"


class MandateForm(BaseForm):
    """A mandate to open."""

    name = StringField("Nom de l’inspecteur", [DataRequired("Indiquez le nom de l’inspecteur.")])
    email = EmailField(
        "Adresse académique",
        [DataRequired("Indiquez l’adresse académique de l’inspecteur.")],
        description="C’est là que part l’invitation. Par exemple prenom.nom@ac-lyon.fr.",
    )
    scope = RadioField(
        "Ce que l’accès ouvre",
        choices=[SelectChoice(CHOSEN, "Seulement les diplômes cochés"), SelectChoice(ALL, "Tous les diplômes")],
        default=None,
        validate_choice=False,
    )
    #: sent by the button of the page, never by scripts: the person has read the question
    asked = HiddenField()
    diplomas = SelectMultipleField(
        "Diplômes",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,  # the operation does: it knows every diploma the school may use, and says more
    )
    starts_on = StringField("Premier jour", [DataRequired("Indiquez le premier jour.")], widget=DateInput())
    ends_on = StringField(
        "Dernier jour",
        [DataRequired("Indiquez le dernier jour.")],
        description="Ce jour est compris. Au plus tard le 31 août qui suit le premier jour.",
        widget=DateInput(),
    )
    purpose = StringField(
        "Objet",
        [DataRequired("Indiquez l’objet de l’accès : il est dit à l’inspecteur.")],
        description="Par exemple : visite de la terminale MELEC, rendez-vous de carrière.",
    )

    def validate_scope(self, field: RadioField) -> None:
        """Require an answer when the page's button was pressed: an omission opens nothing."""
        if field.data and field.data not in (CHOSEN, ALL):
            raise ValidationError("Choisissez l’une des réponses proposées.")
        if self.asked.data and not field.data and not self.diplomas.data:
            raise ValidationError("Choisissez : seulement les diplômes cochés, ou tous.")

    def validate_diplomas(self, field: SelectMultipleField) -> None:
        """Refuse boxes that contradict the answer; without an answer, from a script, no box means all diplomas."""
        if self.scope.data == CHOSEN and not field.data:
            raise ValidationError("Cochez les diplômes à ouvrir, ou choisissez « Tous les diplômes ».")
        if self.scope.data == ALL and field.data:
            raise ValidationError("Vous avez choisi tous les diplômes et coché certains : choisissez l’un ou l’autre.")


class ExtensionForm(VersionedForm):
    """A later last day."""

    ends_on = DayField("Nouveau dernier jour", [DataRequired("Indiquez le dernier jour.")])


class ClosingForm(BaseForm):
    """Why a mandate is closed."""

    reason = StringField(
        "Raison",
        [DataRequired("Indiquez la raison : elle reste dans votre établissement.")],
        description="Elle est inscrite au journal de l’établissement ; l’inspecteur ne la lit pas.",
    )
