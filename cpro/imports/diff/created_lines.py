"""People whom a file creates, by line: two lines of one table may be about one person."""

from __future__ import annotations

from collections.abc import Hashable

SAME_LINE = (
    "La ligne {line} du même fichier {what}, et rien ne les distingue : si c’est une autre personne, dites-le ; sans "
    "réponse, cette ligne-ci n’est pas reprise."
)


class CreatedLines:
    """The first line that creates each person, and which numbers it gave them."""

    def __init__(self) -> None:
        self._first: dict[int, tuple[int, tuple[bool, ...]]] = {}

    def note(self, person: Hashable, line: int, *numbers: str | None) -> None:
        """Remember who is created, unless a line before did."""
        self._first.setdefault(hash(person), (line, tuple(map(bool, numbers))))

    def __contains__(self, person: Hashable) -> bool:
        return hash(person) in self._first

    def find_alike(self, person: Hashable, *numbers: str | None) -> int:
        """Return the line that may be about the same person, 0 where there is none, or a number of both says no."""
        line, given = self._first.get(hash(person), (0, ()))
        return 0 if any(one and other for one, other in zip(given, numbers, strict=False)) else line
