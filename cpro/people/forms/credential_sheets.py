"""The form that requests activation sheets; the operation validates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, PasswordField, RadioField, SelectChoice, SelectField
from wtforms.fields import Field
from wtforms.validators import ValidationError

from cpro.core.formatting import format_count
from cpro.core.parsing import read_id
from cpro.core.ticked_rows import read_ticked_ids
from cpro.core.web.forms import MayAskPassword, plausible_password
from cpro.students.credential_sheets.operations import Target
from cpro.students.models import Division
from cpro.users.roles import PRINTED_ROLES

WITHOUT_CODE = SelectChoice("sans-code", "Tous ceux qui n’ont pas de code valable")


class _IdsField(Field):
    """The ids of the people ticked in a list. Raises as `read_ticked_ids` does: the page answers the refusal."""

    def process_formdata(self, values: Sequence[str]) -> None:
        """Read the ids."""
        self.data = read_ticked_ids(values)


class CredentialSheetsForm(MayAskPassword):
    """Who the sheets are for, how many per page, in which format."""

    ids = _IdsField("Comptes choisis", default=list)
    eleves = _IdsField("Élèves choisis", default=list)
    pour = RadioField(
        "Pour qui",
        choices=[
            SelectChoice("division", "Les élèves d’une division"),
            SelectChoice("role", "Toutes les personnes d’un rôle"),
            WITHOUT_CODE,
            SelectChoice("jamais", "Tous ceux qui n’ont jamais activé leur compte"),
        ],
        validate_choice=False,
    )
    division = SelectField("Division", validate_choice=False)
    role = SelectField(
        "Rôle",
        choices=[
            SelectChoice("", "Choisissez un rôle"),
            *(SelectChoice(each.value, each.label) for each in PRINTED_ROLES),
        ],
        validate_choice=False,
    )
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
        description="L’autre se télécharge aussi, avec les mêmes codes.",
        invalid_choice_message="Choisissez un PDF ou un tableau CSV.",
    )
    reset = BooleanField(
        "Réinitialiser aussi les comptes déjà activés",
        description="Leurs mots de passe cessent aussitôt de servir et leurs connexions prennent fin ; une page le "
        "confirme d’abord, avec votre mot de passe.",
    )

    current_password = PasswordField(
        "Votre mot de passe",
        [plausible_password],
        description="Demandé pour réinitialiser des comptes.",
    )

    def offer(self, divisions: Sequence[Division], *, without_code: int) -> None:
        """Offer these divisions, and show how many people have no activation code.

        May be called again, by a page that shows a refusal.
        """
        counted = f"{WITHOUT_CODE.label} ({format_count(without_code)})"
        self.pour.choices = [
            SelectChoice(each.value, counted) if each.value == WITHOUT_CODE.value else each
            for each in self.pour.choices
        ]
        self.division.choices = [
            SelectChoice("", "Choisissez une division"),
            *(
                SelectChoice(str(each.id), f"{each.code} – {each.label}" if each.label else each.code)
                for each in divisions
            ),
        ]

    def show_choice(self) -> None:
        """Select the implied choice if neither the URL nor the form gave one."""
        self.pour.data = self._chosen()

    def chosen_values(self) -> dict[str, Any]:
        """Return the chosen values as a form would post them again, without the password."""
        kept = ("ids", "eleves", "pour", "division", "role", "layout", "format")
        values: dict[str, Any] = {name: self[name].data for name in kept if self[name].data}
        return {**values, **({"reset": "y"} if self.reset.data else {})}

    def target(self) -> Target:
        """Return who the sheets are for: people chosen in a list, or else what was chosen in this form."""
        if self.ids.data:
            return Target(account_ids=tuple(self.ids.data))
        if self.eleves.data:
            return Target(student_ids=tuple(self.eleves.data))
        chosen = self._chosen()
        if chosen == "jamais":
            return Target(never_activated=True)
        if chosen == "sans-code":
            return Target(without_code=True)
        if chosen == "role":
            return Target(role=next((each for each in PRINTED_ROLES if each.value == self.role.data), None))
        return Target(division_id=read_id(self.division.data))

    def validate_pour(self, field: Field) -> None:
        """Refuse an unknown choice; without one, imply a role if one is named, otherwise a division."""
        if field.data and field.data not in {value for value, *_rest in field.iter_choices()}:
            raise ValidationError("Choisissez pour qui préparer les fiches.")

    def validate_division(self, field: Field) -> None:
        """Require a division if the answer needs one, and refuse one beside another answer: it would be ignored."""
        self._check_goes_with(field, "division", "Choisissez une division", is_named=read_id(field.data) is not None)

    def validate_role(self, field: Field) -> None:
        """Require a role if the answer needs one, and refuse one beside another answer: it would be ignored."""
        is_named = field.data in {each.value for each in PRINTED_ROLES}
        self._check_goes_with(field, "role", "Choisissez un rôle", is_named=is_named)

    @property
    def names_people(self) -> bool:
        """Return whether the people were chosen in a list."""
        return bool(self.ids.data or self.eleves.data)

    def _check_goes_with(self, field: Field, answer: str, blank: str, *, is_named: bool) -> None:
        """Raise unless the answer to `pour` and what was chosen in a list below it mean the same people."""
        if self.names_people:
            return
        labels = {value: str(label) for value, label, *_rest in self.pour.iter_choices()}
        chosen = self._chosen()
        if chosen == answer and not is_named:
            raise ValidationError(f"{blank}.")
        if chosen in labels and chosen != answer and field.data:
            raise ValidationError(
                f"Ce choix ne va pas avec la réponse cochée, «\u202f{labels[chosen]}\u202f»\u202f: cochez "
                f"«\u202f{labels[answer]}\u202f», ou revenez ici à «\u202f{blank}\u202f»."
            )

    def _chosen(self) -> str:
        return str(self.pour.data or ("role" if self.role.data and not self.division.data else "division"))
