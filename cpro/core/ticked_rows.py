"""The rows ticked in a list: their ids as posted or in a URL, and what is refused, in one sentence for every page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sized

from cpro.core.errors import DomainError, NotFound
from cpro.core.formatting import format_count
from cpro.core.parsing import read_id

#: Maximum rows of one action: as many ids as a URL can contain, and as people can read on the confirmation page.
MOST_AT_ONCE = 400


class NoRowTicked(NotFound):
    """No row was ticked."""

    message = "Cochez d’abord des lignes de la liste."


class NoSuchRow(NotFound):
    """One of the rows does not exist in the school, or no longer; nothing is done for the others."""

    message = (
        "Une des lignes choisies n’existe pas, ou plus, dans votre établissement\u202f: rien n’a été fait. Rechargez "
        "la liste, puis choisissez de nouveau."
    )


class TooManyRows(DomainError):
    """More rows than one action may concern."""

    message = (
        f"Une action porte sur {format_count(MOST_AT_ONCE)} lignes au plus\u202f: réduisez d’abord la liste par une "
        "recherche ou un filtre. Rien n’a été fait."
    )


def read_ticked_ids(values: Iterable[str]) -> list[int]:
    """Return the distinct ids of repeated values, each of which may contain several separated by commas; [] for none.

    Raises `NoSuchRow` for what cannot be an id, `TooManyRows`.
    """
    words = [word.strip() for text in values for word in text.split(",")]
    if not any(words):
        return []
    check_not_too_many(words)
    ids = dict.fromkeys(map(read_id, words))
    found = [each for each in ids if each is not None]
    if len(found) != len(ids):
        raise NoSuchRow
    return found


def check_not_too_many(rows: Sized) -> None:
    """Raise `TooManyRows` above the maximum of one action."""
    if len(rows) > MOST_AT_ONCE:
        raise TooManyRows


def check_ticked_rows(found: int, ids: Collection[int]) -> None:
    """Raise `NoRowTicked` for no id, `NoSuchRow` unless the school has as many rows."""
    if not ids:
        raise NoRowTicked
    if found != len(set(ids)):
        raise NoSuchRow
