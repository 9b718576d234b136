"""How long a rich text may be, and of what letters."""

from __future__ import annotations

from cpro.core.errors import DomainError
from cpro.core.formatting import format_count
from cpro.core.validators import describe_unprintable, find_unprintable

#: Characters of text in one field, markup not counted: some eight printed pages.
MAX_CHARACTERS = 20_000
#: Characters that are read at all, markup counted: what a person writes or pastes is far below.
MAX_SOURCE = 100_000


class InvalidRichText(DomainError):
    """Refuse a text that is too long."""


def check_source(source: str) -> None:
    """Raise `InvalidRichText` when what was posted is too long even to be read."""
    if len(source) > MAX_SOURCE:
        raise InvalidRichText(
            f"Ce texte, mise en forme comprise, dépasse {format_count(MAX_SOURCE)} caractères. Raccourcissez-le, "
            "ou collez-le sans mise en forme."
        )


def check(text: str) -> None:
    """Raise `InvalidRichText` when the plain text is too long, or holds a letter that no document can print."""
    unprintable = find_unprintable(text)
    if unprintable:
        raise InvalidRichText(describe_unprintable(unprintable))
    if len(text) > MAX_CHARACTERS:
        raise InvalidRichText(
            f"Le texte compte {format_count(len(text))} caractères, le maximum est {format_count(MAX_CHARACTERS)}."
            " Raccourcissez-le."
        )
