"""Limits of a rich text: its length and its characters."""

from __future__ import annotations

from cpro.core.errors import DomainError
from cpro.core.formatting import format_count
from cpro.core.validators import describe_unprintable, find_unprintable

#: Maximum characters of text in one field, markup not counted: some eight printed pages.
MAX_CHARACTERS = 20_000
#: Maximum characters parsed, markup included, far above what a person writes or pastes.
MAX_SOURCE = 100_000


class InvalidRichText(DomainError):
    """A rich text is too long, or contains an unprintable character."""


def check_source(source: str) -> None:
    """Raise `InvalidRichText` when the posted text is too long to be parsed."""
    if len(source) > MAX_SOURCE:
        raise InvalidRichText(
            f"Ce texte, mise en forme comprise, dépasse {format_count(MAX_SOURCE)} caractères. Raccourcissez-le, "
            "ou collez-le sans mise en forme."
        )


def check(text: str) -> None:
    """Raise `InvalidRichText` when the plain text is too long, or has a character that documents cannot print."""
    unprintable = find_unprintable(text)
    if unprintable:
        raise InvalidRichText(describe_unprintable(unprintable))
    if len(text) > MAX_CHARACTERS:
        raise InvalidRichText(
            f"Le texte compte {format_count(len(text))} caractères, le maximum est {format_count(MAX_CHARACTERS)}."
            " Raccourcissez-le."
        )
