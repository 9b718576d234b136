"""The form of a scenario: field shapes only; its labels and choices depend on the diploma."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wtforms import BooleanField, Field, FieldList, Form, FormField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from cpro.core.web.choices import TickField
from cpro.core.web.forms import VersionedForm, marked_required
from cpro.core.web.richtext import RichTextField
from cpro.masks.models import FieldKind, MaskKey

#: Number of blank rows offered after those filled in.
_BLANK_ROWS = 2
_MOST_ROWS = 60
#: Values posted by the buttons beside « Valider » under the name `geste`.
CHANGE_DIPLOMA, MORE_LINKS = "diplome", "lien"


class LinkForm(Form):
    """One link: its label, its address."""

    label = StringField("Nom du lien")
    url = StringField("Adresse")


class LinksField(FieldList):
    """The links of a scenario: rows, of which the blank ones are ignored."""

    def __init__(self, label: str = "", **kwargs: Any) -> None:
        super().__init__(FormField(LinkForm), label, **kwargs)

    @property
    def data(self) -> list[dict[str, str]]:
        """Return the non-blank rows."""
        rows = [{"label": each.form.label.data or "", "url": each.form.url.data or ""} for each in self.entries]
        return [row for row in rows if row["label"].strip() or row["url"].strip()]

    def take(self, value: Sequence[Mapping[str, str]]) -> None:
        """Replace the posted links with stored ones."""
        while self.entries:
            self.pop_entry()
        for link in value:
            self.append_entry(dict(link))

    def offer_blank_rows(self, *, more: bool = False) -> None:
        """Add blank rows after the last one, up to a bound."""
        blank = len(self.entries) - len(self.data)
        missing = _BLANK_ROWS + 1 if more else max(0, _BLANK_ROWS - blank)
        for _ in range(min(missing, _MOST_ROWS - len(self.entries))):
            self.append_entry({})

    def as_text(self, value: Sequence[Mapping[str, str]] | None) -> str:
        """Return links as plain text, to compare two lists."""
        return ", ".join(" – ".join(part for part in (each["label"], each["url"]) if part) for each in value or ())


#: The field of the form for each kind of worded field.
_FIELDS = {FieldKind.RICH_TEXT: RichTextField, FieldKind.LINKS: LinksField}


class ScenarioForm(VersionedForm):
    """A scenario; `prepare` must be called before it is shown."""

    title = StringField("Titre", [marked_required], description="150 caractères au plus.")
    diploma = SelectField("Diplôme", validate_choice=False)
    co_intervention = BooleanField("Co-intervention : deux enseignants, général et professionnel, ensemble")
    vars().update({key.value: _FIELDS[key.kind]() for key in MaskKey})  # here, in display order
    competences = TickField("Compétences travaillées", choices=[])
    #: those ticked for another diploma: posted again so that going back to it restores them, never saved
    set_aside = TickField(choices=[])
    co_authors = TickField(
        "Co-auteurs", choices=[], description="Ils modifient le scénario comme vous ; les autres enseignants le lisent."
    )

    @property
    def worded(self) -> list[Field]:
        """Return the worded fields, in display order."""
        return [self[key.value] for key in MaskKey]

    def name_fields(self, labels: Mapping[MaskKey, str]) -> None:
        """Set the labels of the school for a diploma."""
        for key, label in labels.items():
            self[key.value].label.text = label

    def prepare(
        self,
        *,
        labels: Mapping[MaskKey, str],
        diplomas: Sequence[tuple[str, str]],
        competences: Sequence[tuple[str, str]],
        co_authors: Sequence[tuple[str, str]],
        more_links: bool = False,
    ) -> None:
        """Set the labels of the school for the diploma, and the choices: values and labels."""
        self.name_fields(labels)
        for name, offered in (("diploma", diplomas), ("competences", competences), ("co_authors", co_authors)):
            self[name].choices = [SelectChoice(value, label) for value, label in offered]
        self[MaskKey.LINKS.value].offer_blank_rows(more=more_links)

    def sort_competences(self, offered: Collection[str]) -> None:
        """Tick again the set-aside competences that the diploma offers; set aside the ticked ones it does not."""
        known = dict.fromkeys([*(self.competences.data or ()), *(self.set_aside.data or ())])
        self.competences.data = [each for each in known if each in offered]
        self.set_aside.data = [each for each in known if each not in offered]

    def restore_choices(self, offered: Collection[str]) -> None:
        """Tick again the set-aside competences that the diploma offers; the rule refuses other ticked ones."""
        ticked, aside = self.competences.data or (), self.set_aside.data or ()
        self.competences.data = list(dict.fromkeys([*ticked, *(each for each in aside if each in offered)]))
