"""Lines that create people: two lines of one table may be about the same person."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

SAME_LINE = (
    "La ligne {line} du même fichier {what}, et rien ne les distingue : si c’est une autre personne, dites-le ; sans "
    "réponse, cette ligne-ci n’est pas reprise."
)
#: Maximum number of identifiers that a line may give for a person.
_NUMBERS = 2


class CreatedLines:
    """The first line that creates each person, and which identifiers it gave."""

    def __init__(self) -> None:
        #: the line and, in its last bits, the identifiers given: compact, since there may be a hundred thousand
        self._first: dict[int, int] = {}

    def note(self, person: Hashable, line: int, *numbers: str | None) -> None:
        """Record that a line creates a person, unless an earlier line did."""
        self._first.setdefault(hash(person), line << _NUMBERS | _given(numbers))

    def __contains__(self, person: Hashable) -> bool:
        return hash(person) in self._first

    def find_alike(self, person: Hashable, *numbers: str | None) -> int:
        """Return the earlier line that may be about this person; 0 if none, or if both give the same kind of number."""
        first = self._first.get(hash(person), 0)
        return 0 if first & _given(numbers) else first >> _NUMBERS


def _given(numbers: Sequence[str | None]) -> int:
    """Return a bit for each identifier, set if it is given."""
    return sum(1 << place for place, number in enumerate(numbers) if number)
