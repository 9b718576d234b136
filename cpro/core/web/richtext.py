"""Rich text on a page, and its form field: a text area without script, an editor with it (static/richtext.js)."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from wtforms import TextAreaField

from cpro.core.richtext.limits import MAX_SOURCE, InvalidRichText, check, check_source
from cpro.core.richtext.sanitiser import sanitise, to_text
from cpro.core.richtext.typed import from_typed, to_typed

#: What the hidden field beside the text says of it.
AS_HTML, AS_TYPED = "html", "typed"


def show(html: str | None) -> Markup:
    """Return stored rich text for a page, sanitised once more: whatever got into the database stops here."""
    return Markup(sanitise(html or ""))  # written from escaped text by `sanitise`


class RichTextField(TextAreaField):
    """A rich text; `data` is the HTML to store, whichever way it was entered.

    Beside `<name>`, the browser posts `<name>_format`: « html » from the editor, « typed » (or nothing) from the text
    area. A text that is too long is refused, and shown again whole.
    """

    #: what the text area shows instead of `data`: as it was typed, or what is too long to be read
    shown: str | None = None
    #: how the text area's text is to be read when it is posted again as it is
    shown_format = AS_TYPED
    #: whether `data` is what the text area shows: not when that was too long to be read
    is_read = True

    @property
    def format_name(self) -> str:
        """Return the name of the hidden field that says how the text was entered."""
        return f"{self.name}_format"

    @property
    def as_typed(self) -> str:
        """Return what the text area shows."""
        return to_typed(self.data or "") if self.shown is None else self.shown

    def as_text(self, value: str | None) -> str:
        """Return a value in plain words, to compare two."""
        return to_text(value or "")

    def take(self, value: str | None) -> None:
        """Hold a stored text in place of the posted one."""
        self.data, self.shown, self.shown_format, self.is_read = value or "", None, AS_TYPED, True

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Read how the text was entered, then the text."""
        self._format = formdata.get(self.format_name, AS_TYPED) if formdata else AS_TYPED
        super().process(formdata, *args, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the text; raises ValueError with a French sentence when it is too long."""
        if not valuelist:
            return
        source = str(valuelist[0])
        try:
            self._read(source)
        except InvalidRichText as refusal:
            raise ValueError(refusal.message) from None

    def _read(self, source: str) -> None:
        is_html = self._format == AS_HTML
        if not is_html or len(source) > MAX_SOURCE:
            self.shown, self.shown_format = source, AS_HTML if is_html else AS_TYPED
        self.is_read = len(source) <= MAX_SOURCE
        check_source(source)
        self.data = sanitise(source) if is_html else from_typed(source)
        check(to_text(self.data))
