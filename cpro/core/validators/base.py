"""Shared by the validators: the base error, and the trimming of input."""

from __future__ import annotations

import re

from cpro.core.errors import DomainError

# Control characters other than ordinary white space, lone surrogates, bidirectional overrides and isolates (which make
# a text display otherwise than it is stored), and the two code points that XML, hence XLSX, forbids.
FORBIDDEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
# Soft hyphen, zero-width space, direction marks, word joiner, blank pattern, variation selectors, byte order mark:
# invisible characters often present in pasted text. The zero-width joiner is kept: emoji need it.
UNSEEN = re.compile("[\u00ad\u034f\u061c\u200b\u200e\u200f\u2060\u2800\ufe0e\ufe0f\ufeff]")
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015]")


INVISIBLE = "Le texte contient un caractère de contrôle invisible. Retapez-le au lieu de le coller."


class InvalidValue(DomainError):
    """A field's value is refused; the form or the import knows which field."""


def trim(text: str) -> str:
    """Return the text without invisible characters, or blanks at its ends."""
    return UNSEEN.sub("", text).strip()


def compact(text: str) -> str:
    """Return the text without the separators people write in numbers."""
    return _SEPARATORS.sub("", trim(text))


def check_visible(text: str, refusal: type[InvalidValue]) -> None:
    """Raise the refusal of a field for a control character: what people see of the text may well look right."""
    if FORBIDDEN.search(text):
        raise refusal(INVISIBLE)
