"""Search rows by the words of their names, on an index that stays fast however many rows there are.

Each word of the `search_key` of a `Searched` row is stored in `search_word`, maintained by database triggers
(migration 0020), so no import, copy or correction can bypass it. A prefix search uses comparisons only, which use
the table's key under row-level security too. Rows are found by the longest word searched; the other words may be
anywhere in the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import digits
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Integer, Select, String, and_, false, select
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.tenancy import Owned
from cpro.core.validators import fold
from cpro.extensions import Model, db

#: Word separators of a folded text, besides blanks; the triggers have the same list.
SEPARATORS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~’‘“”„«»–—…°•\t\n\r"
_BLANKS = str.maketrans(SEPARATORS, " " * len(SEPARATORS))
#: Sorts after any text with the same beginning.
_LAST = "\U0010ffff"
_SHORTEST_NUMBER = 4
#: the letters that end an INE, which may be separated from its digits
_MOST_LETTERS = 2
_LARGEST_ID = 9_999_999_999


class Searched:
    """Mark rows whose `search_key` is cut into words; rows of one word are ordered by name, or the latest first."""

    latest_first: ClassVar[bool] = False


class SearchWord(Owned, Model):
    """A word of a row's search key; written by triggers only.

    Its school is not a foreign key: the rows it indexes have one, and an import adds three words for each student.
    """

    __tablename__ = "search_word"
    __table_args__ = {"sqlite_with_rowid": False}

    establishment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: the table of the row
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    word: Mapped[str] = mapped_column(
        String(450).with_variant(String(450, collation="C"), "postgresql"), primary_key=True
    )
    #: orders the rows of a word: their search key, or their ids reversed
    sort_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    #: number of leading letters shared with the previous word of the same row: a search for no more letters than that
    #: has already found the row; also in the key's index on PostgreSQL, for index-only scans
    shared: Mapped[int]


@dataclass(frozen=True)
class Search:
    """A text to search for among the rows of a searched model.

    `numbers` is a column that the user may read in full: a text whose words all contain a digit, except the one or
    two letters that end an INE, is searched there, whether typed in one piece or several.
    """

    model: Any
    text: str
    numbers: Any = None

    @property
    def words(self) -> list[str]:
        """Return the words searched, the longest first; empty when a number is searched."""
        return [] if self.number else sorted(cut_words(self.text), key=lambda word: (-len(word), word))

    @property
    def number(self) -> str:
        """Return the beginning of the number searched; empty when words are searched."""
        words = fold(self.text).translate(_BLANKS).split()
        number = "".join(words).upper()
        letters = "".join(word for word in words if not set(word) & set(digits))
        is_number = len(letters) <= _MOST_LETTERS and number.endswith(letters.upper())
        return number if self.numbers is not None and is_number and len(number) >= _SHORTEST_NUMBER else ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the rows found, for a statement with its own order."""
        if self.number:
            return self._numbered()
        if not self.words:
            return [false()]
        rows = select(SearchWord.row_id).where(*self._first_word())
        return [self.model.id.in_(rows), *self._other_words(self.model.search_key)]

    def rank(self, statement: Select[Any]) -> tuple[Select[Any], list[Any]]:
        """Return a statement on the model narrowed to the rows found, and their order, the id last.

        Ordered by the word found, then as the rows of one word are; by number when one is searched. This is an
        index's order: no row beyond those shown is read.
        """
        if not self.words:
            return statement.where(*self.conditions()), [
                self.numbers if self.number else self.model.search_key,
                self.model.id,
            ]
        key = self.model.search_key if self.model.latest_first else SearchWord.sort_key
        joined = statement.join(SearchWord, SearchWord.row_id == self.model.id)
        found = joined.where(*self._first_word(), *self._other_words(key))
        return found, [SearchWord.word, SearchWord.sort_key, SearchWord.row_id]

    def place_of(self, row_id: int) -> Sequence[Any] | None:
        """Return a row's sort values, its id last; None when the search does not find it."""
        if not self.words:
            value = db.session.scalar(select(self.numbers).where(self.model.id == row_id)) if self.number else None
            return None if value is None else (value, row_id)
        key = db.session.scalar(select(self.model.search_key).where(self.model.id == row_id)) or ""
        word = next((each for each in sorted(split_words(key)) if each.startswith(self.words[0])), None)
        if word is None:
            return None
        return word, f"{_LARGEST_ID - row_id:010}" if self.model.latest_first else key, row_id

    def _numbered(self) -> list[ColumnElement[bool]]:
        return [self.numbers >= self.number, self.numbers < self.number + _LAST]

    def _first_word(self) -> list[ColumnElement[bool]]:
        first = self.words[0]
        is_begun = and_(SearchWord.word >= first, SearchWord.word < first + _LAST)
        return [SearchWord.kind == self.model.__tablename__, is_begun, SearchWord.shared < len(first)]

    def _other_words(self, key: Any) -> list[ColumnElement[bool]]:
        return [key.contains(word, autoescape=True) for word in self.words[1:]]


def find_words(model: Any, text: str) -> list[ColumnElement[bool]]:
    """Return the conditions that a row of a searched model has the words of a text; none for a blank text."""
    return Search(model, text).conditions() if text.strip() else []


def cut_words(text: str) -> set[str]:
    """Return the words of a text, folded: split at blanks, hyphens, apostrophes, points and the like."""
    return split_words(fold(text))


def split_words(key: str) -> set[str]:
    """Return the words of a text that is already folded."""
    return {word for word in key.translate(_BLANKS).split(" ") if word}
