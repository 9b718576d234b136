"""The form that asks for activation sheets: shape only."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import BooleanField, PasswordField, RadioField, SelectChoice, SelectField
from wtforms.fields import Field
from wtforms.validators import ValidationError

from cpro.core.forms import BaseForm, bounded_password
from cpro.students.models import Division

#: Enough for every account of a school; more is no person's choice.
_MOST_IDS = 5000


def _is_id(text: str) -> bool:
    """Tell whether a text can be an id: digits, and a number that every database takes."""
    return text.isascii() and text.isdigit() and len(text) < 10


class _IdsField(Field):
    """The accounts chosen in a list: whole numbers, repeated; anything else is nobody."""

    def process_formdata(self, values: Sequence[str]) -> None:
        """Keep what can be an id."""
        self.data = [int(text) for text in values[:_MOST_IDS] if _is_id(text)]


class SheetsForm(BaseForm):
    """Whose sheets, how many a page, as what."""

    ids = _IdsField("Comptes choisis", default=list)
    division = SelectField("Division", validate_choice=False)
    layout = RadioField(
        "Fiches par page",
        choices=[
            SelectChoice("1", "Une par page"),
            SelectChoice("2", "Deux par page, à couper"),
            SelectChoice("8", "Huit par page, à couper"),
        ],
        default="8",
        invalid_choice_message="Choisissez une, deux ou huit fiches par page.",
    )
    format = RadioField(
        "Document",
        choices=[SelectChoice("pdf", "PDF, à imprimer"), SelectChoice("csv", "Tableau CSV, pour un publipostage")],
        default="pdf",
        invalid_choice_message="Choisissez un PDF ou un tableau CSV.",
    )
    reset = BooleanField(
        "Réinitialiser aussi les comptes déjà activés",
        description="Leurs mots de passe cessent aussitôt de servir et leurs connexions prennent fin.",
    )

    current_password = PasswordField(
        "Votre mot de passe",
        [bounded_password],
        description="Demandé pour réinitialiser des comptes ; inutile sinon.",
    )

    def offer(self, divisions: Sequence[Division]) -> None:
        """Offer these divisions."""
        self.division.choices = [
            SelectChoice("", "Choisissez une division"),
            *(
                SelectChoice(str(each.id), f"{each.code} – {each.label}" if each.label else each.code)
                for each in divisions
            ),
        ]

    def validate_division(self, field: Field) -> None:
        """Ask for a division unless accounts were chosen."""
        if not self.ids.data and not _is_id(field.data or ""):
            raise ValidationError("Choisissez une division.")
