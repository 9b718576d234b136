"""A field that names a row of another table by its code, with suggestions, instead of listing the whole table."""

from __future__ import annotations

from typing import Any

from wtforms import StringField


class LookupField(StringField):
    """A code typed, helped by a short list of suggestions that works without a script (`<datalist>`).

    `suggestions` is set by the screen when the form is shown: (code, label) pairs, few.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suggestions: list[tuple[str, str]] = []
