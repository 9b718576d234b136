"""Forms of the tab Accès inspecteur: French labels; the rules are those of the operations."""

from __future__ import annotations

from wtforms import EmailField, SelectMultipleField, StringField
from wtforms.validators import DataRequired
from wtforms.widgets import CheckboxInput, DateInput, ListWidget

from cpro.core.web.forms import BaseForm, DayField, VersionedForm


class MandateForm(BaseForm):
    """A mandate to open."""

    name = StringField("Nom de l’inspecteur", [DataRequired("Indiquez le nom de l’inspecteur.")])
    email = EmailField(
        "Adresse académique",
        [DataRequired("Indiquez l’adresse académique de l’inspecteur.")],
        description="C’est là que part l’invitation. Par exemple prenom.nom@ac-lyon.fr.",
    )
    diplomas = SelectMultipleField(
        "Diplômes",
        description="Ne cochez rien pour ouvrir tous les diplômes.",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,  # the rule does: it knows every diploma the school may use, and says more
    )
    starts_on = StringField("Premier jour", [DataRequired("Indiquez le premier jour.")], widget=DateInput())
    ends_on = StringField(
        "Dernier jour",
        [DataRequired("Indiquez le dernier jour.")],
        description="Compris. Au plus tard le 31 août qui suit le premier jour.",
        widget=DateInput(),
    )
    purpose = StringField(
        "Objet",
        [DataRequired("Indiquez l’objet de l’accès : il est dit à l’inspecteur.")],
        description="Par exemple : visite de la terminale MELEC, rendez-vous de carrière.",
    )


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
