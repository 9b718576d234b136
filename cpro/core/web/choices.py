"""Choose codes among those that a school has: one in a drop-down, several by boxes; none is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wtforms import SelectField, SelectMultipleField
from wtforms.fields.choices import SelectChoice

from cpro.core.parsing import read_list
from cpro.core.shown import Choices, name_code


class CodeField(SelectField):
    """A drop-down of codes, the rule being the judge of what is posted; one that is not offered stays, to be seen."""

    def __init__(self, label: str, *validators: Any, offer: Callable[[], Choices], nothing: str, **more: Any) -> None:
        def list_choices(form: object, field: CodeField) -> list[SelectChoice]:
            return [SelectChoice("", nothing), *_list_options(offer(), [field.data or ""])]

        super().__init__(label, *validators, choices=list_choices, validate_choice=False, **more)


class TickField(SelectMultipleField):
    """Boxes to tick; what is not offered is the rule's to refuse."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Take what was posted, without the blank that stands for no box ticked."""
        super().process_formdata([each for each in valuelist if each])

    def pre_validate(self, form: Any) -> None:
        """Leave the choice to the operation, which says it in its own words."""


class CodesField(TickField):
    """Boxes of codes, a ticked one that is not offered being seen too; a value may hold several, between commas."""

    def __init__(self, label: str, *, offer: Callable[[], Choices], **more: Any) -> None:
        def list_choices(form: object, field: CodesField) -> list[SelectChoice]:
            return _list_options(offer(), field.data or ())

        super().__init__(label, choices=list_choices, **more)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Take the codes posted, each once."""
        offered = {each.value for each in self.choices}
        codes = [code for text in valuelist for code in ([text] if text in offered else read_list(text))]
        super().process_formdata(list(dict.fromkeys(codes)))


def _list_options(offered: Choices, held: Sequence[str]) -> list[SelectChoice]:
    """Return the options of codes, and of those that a field holds and that are not offered."""
    codes = {code for code, _label in offered}
    missing = [code for code in held if code and code not in codes]
    return [SelectChoice(code, name_code(code, label)) for code, label in [*offered, *((code, "") for code in missing)]]
