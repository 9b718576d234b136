"""Forms of the imports: French labels and input shapes; the rules are in the operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import (
    BooleanField,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
)
from wtforms.widgets import CheckboxInput, ListWidget

from cpro.core.formatting import format_size
from cpro.core.web.forms import BaseForm
from cpro.core.web.uploads import bound_files
from cpro.imports.parse.files.archives import REFUSED_STARTS
from cpro.imports.parse.files.extraction import MAX_DEPOSIT_SIZE
from cpro.imports.runs.deposits import MAX_FILES


class DepositForm(BaseForm):
    """Files to deposit."""

    files = MultipleFileField(
        "Fichiers à déposer",
        description="Un ou plusieurs à la fois, tels qu’ils ont été téléchargés, dans leur archive zip ou non ; ce qui "
        f"ne sert pas est laissé de côté et vous est dit. {format_size(MAX_DEPOSIT_SIZE)} au plus.",
        render_kw=bound_files(
            accept=".xml,.zip,.csv,.txt,.tsv,.xlsx",
            max_bytes=MAX_DEPOSIT_SIZE,
            most=MAX_FILES,
            refused=[(beginning, refusal.message) for beginning, refusal in REFUSED_STARTS],
        ),
    )
    opens_student_accounts = BooleanField(
        "Ouvrir aussi un compte aux élèves qui n’en ont pas",
        description="Les identifiants sont créés ; les codes d’activation se tirent plus tard, à l’impression des "
        "fiches. Les enseignants et le chef d’établissement reçoivent toujours un compte.",
    )


class ApplicationForm(BaseForm):
    """The confirmations of an analysis, as it was when the page was opened."""

    confirmations = SelectMultipleField(
        "Points à confirmer",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,  # a confirmation that is not required is ignored
    )
    version = HiddenField()

    def offer(self, needed: Sequence[Mapping[str, str]]) -> None:
        """Set the choices to the required confirmations, [{"key", "sentence"}]."""
        self.confirmations.choices = [SelectChoice(each["key"], each["sentence"]) for each in needed]


Asked = tuple[str, str, str, Sequence[tuple[str, str]], int | None]


def answers_form(questions: Sequence[Asked], formdata: Any = None) -> BaseForm:
    """Return a form with one choice per question: (field, legend, help, choices, answer given) each."""
    return _form_of(RadioField, questions, formdata)


def columns_form(questions: Sequence[Asked], formdata: Any = None) -> BaseForm:
    """Return a form with one drop-down per column, as `answers_form`; each may be left without an answer."""
    return _form_of(SelectField, questions, formdata)


def _form_of(field: type[SelectField], questions: Sequence[Asked], formdata: Any) -> BaseForm:
    fields: dict[str, Any] = {
        name: field(
            legend,
            description=help_text,
            choices=[SelectChoice(value, label) for value, label in choices],
            validate_choice=False,  # checked by the operation, with a better message
        )
        for name, legend, help_text, choices, _answer in questions
    }
    given = {name: str(answer) for name, *_rest, answer in questions if answer is not None}
    form: BaseForm = type("AnswersForm", (BaseForm,), fields)(formdata, data=given)
    return form
