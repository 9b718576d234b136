"""Forms of the actions on transfers: French labels and input shape; the rules are in the operations."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import BooleanField, HiddenField, RadioField, SelectChoice, SelectMultipleField, StringField
from wtforms.validators import DataRequired
from wtforms.widgets import CheckboxInput, ListWidget

from cpro.core.formatting import format_date, person_name
from cpro.core.web.forms import BaseForm, text_rule
from cpro.students.models import Student
from cpro.transfers.decisions import REASON_LENGTH


class PlainForm(BaseForm):
    """An action with nothing but a button."""


class RefusalForm(BaseForm):
    """The reason for refusing a transfer."""

    reason = StringField(
        "Raison",
        [DataRequired("Indiquez la raison : l’autre établissement la lira."), text_rule(REASON_LENGTH)],
        description="Les deux établissements la lisent. N’y mettez rien sur la scolarité de l’élève.",
    )


class CancellingForm(BaseForm):
    """Why copies are removed, and whether evaluated fiches are kept."""

    reason = StringField(
        "Raison (facultative)",
        [text_rule(REASON_LENGTH)],
        description="Les deux établissements la lisent. N’y mettez rien sur la scolarité de l’élève.",
    )
    #: filled by the second button, after the first one was refused
    keep_evaluated = HiddenField()


class OfferForm(BaseForm):
    """Departed pupils, and the school they went to."""

    uai = StringField(
        "Code UAI de l’établissement d’accueil",
        [DataRequired("Indiquez le code UAI de l’établissement d’accueil.")],
        description="Sept chiffres et une lettre, par exemple 0570109J.",
    )
    students = SelectMultipleField(
        "Anciens élèves à proposer",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,  # checked by the operation, with a better message
    )
    sought = StringField("Chercher un ancien élève", [text_rule(100)])

    def offer(self, students: Sequence[Student]) -> None:
        """Set the choices to these pupils."""
        self.students.choices = [SelectChoice(str(each.id), describe_student(each)) for each in students]


class AcceptanceForm(BaseForm):
    """The pupil of the school that an offer is linked to."""

    sought = StringField(
        "Chercher l’un de vos élèves",
        [text_rule(100)],
        description="Son nom ou son prénom. Celui que vous avez déjà choisi reste dans la liste.",
    )
    student = RadioField("Votre élève", validate_choice=False)  # checked by the operation, with a better message
    confirmed = BooleanField("Je confirme qu’il s’agit de la même personne")

    def offer(self, students: Sequence[Student]) -> None:
        """Set the choices to these pupils."""
        self.student.choices = [SelectChoice(str(each.id), describe_student(each)) for each in students]


def describe_student(student: Student) -> str:
    """Return the label of a pupil in a choice: « DUPONT Zoé, naissance le 31/01/2009, départ le 04/07/2026 »."""
    parts = [person_name(student.last_name, student.first_name)]
    if student.usage_name:
        parts.append(f"nom d’usage {student.usage_name.upper()}")
    if student.birth_date:
        parts.append(f"naissance le {format_date(student.birth_date)}")
    if not student.is_active and student.departed_on:
        parts.append(f"départ le {format_date(student.departed_on)}")
    return ", ".join(parts)
