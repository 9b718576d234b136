"""Fields that choose among the codes of a school: one in a drop-down, several in check boxes; none is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wtforms import SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice

from cpro.core.parsing import read_list
from cpro.core.shown import Choices, name_code


class CodeField(SelectField):
    """A drop-down of codes; the operation validates what is posted. A stored code that is not offered stays visible."""

    def __init__(self, label: str, *validators: Any, offer: Callable[[], Choices], nothing: str, **more: Any) -> None:
        def list_choices(form: object, field: CodeField) -> list[SelectChoice]:
            return [SelectChoice("", nothing), *_list_options(offer(), [field.data or ""])]

        super().__init__(label, *validators, choices=list_choices, validate_choice=False, **more)


class TickField(SelectMultipleField):
    """A list of check boxes; the operation refuses a value that is not offered."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the posted values, without the blank one that means that no box is ticked."""
        super().process_formdata([each for each in valuelist if each])

    def pre_validate(self, form: Any) -> None:
        """Skip WTForms' check of the choices: the operation validates them with its own message."""


class CodesField(TickField):
    """Check boxes of codes; ticked codes that are not offered stay visible. A value may be codes with commas."""

    def __init__(self, label: str, *, offer: Callable[[], Choices], **more: Any) -> None:
        def list_choices(form: object, field: CodesField) -> list[SelectChoice]:
            return _list_options(offer(), field.data or ())

        super().__init__(label, choices=list_choices, **more)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the posted codes without duplicates."""
        offered = {each.value for each in self.choices}
        codes = [code for text in valuelist for code in ([text] if text in offered else read_list(text))]
        super().process_formdata(list(dict.fromkeys(codes)))


def _list_options(offered: Choices, held: Sequence[str]) -> list[SelectChoice]:
    """Return the options for the offered codes, followed by the field's own codes that are not offered."""
    codes = {code for code, _label in offered}
    missing = [code for code in held if code and code not in codes]
    return [SelectChoice(code, name_code(code, label)) for code, label in [*offered, *((code, "") for code in missing)]]
