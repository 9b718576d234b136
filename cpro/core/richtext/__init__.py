"""Rich text: paragraphs, bold, italic, lists and links; nothing else is ever stored or shown.

Words: *stored* text is HTML in the canonical form that `sanitise` writes; *typed* text is the light Markdown of a
text area, without script; *blocks* are the same text as plain data, for documents. Invariant: stored text is
sanitised when received, and again each time it is shown.
"""

from __future__ import annotations

from cpro.core.richtext.limits import MAX_CHARACTERS, InvalidRichText, check
from cpro.core.richtext.reader import to_blocks
from cpro.core.richtext.sanitiser import read_rich, sanitise, to_text
from cpro.core.richtext.typed import from_typed, to_typed

__all__ = [
    "MAX_CHARACTERS",
    "InvalidRichText",
    "check",
    "from_typed",
    "read_rich",
    "sanitise",
    "to_blocks",
    "to_text",
    "to_typed",
]
