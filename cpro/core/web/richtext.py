"""Rich text on a page, and its form field: a plain text area, or an editor if scripts run (static/richtext.js)."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from wtforms import TextAreaField

from cpro.core.richtext.limits import MAX_SOURCE, InvalidRichText, check, check_source
from cpro.core.richtext.sanitiser import sanitise, to_text
from cpro.core.richtext.typed import from_typed, to_typed

#: Values of the hidden field that gives the format of the text.
AS_HTML, AS_TYPED = "html", "typed"


def show(html: str | None) -> Markup:
    """Return stored rich text for a page, sanitised again in case unsafe HTML reached the database."""
    return Markup(sanitise(html or ""))  # `sanitise` builds it from escaped text


class RichTextField(TextAreaField):
    """A rich text field; `data` is the HTML to store, whichever way it was entered.

    Beside `<name>`, the browser posts `<name>_format`: « html » from the editor, « typed » (or nothing) from the text
    area. A text that is too long is refused, and shown again in full.
    """

    #: what the text area shows instead of `data`: the text as typed, or a text too long to be parsed
    shown: str | None = None
    #: the format of the text area's content when it is posted again unchanged
    shown_format = AS_TYPED
    #: whether `data` was parsed from the text area: not if the text is too long
    is_read = True

    @property
    def format_name(self) -> str:
        """Return the name of the hidden field that gives the format of the text."""
        return f"{self.name}_format"

    @property
    def as_typed(self) -> str:
        """Return the content of the text area."""
        return to_typed(self.data or "") if self.shown is None else self.shown

    def as_text(self, value: str | None) -> str:
        """Return a value as plain text, to compare two."""
        return to_text(value or "")

    def take(self, value: str | None) -> None:
        """Replace the posted text with a stored one."""
        self.data, self.shown, self.shown_format, self.is_read = value or "", None, AS_TYPED, True

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Read the format, then the text."""
        self._format = formdata.get(self.format_name, AS_TYPED) if formdata else AS_TYPED
        super().process(formdata, *args, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the text. Raises ValueError, with a French message, if it is too long."""
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
