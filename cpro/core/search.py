"""Find rows by the words of their names, however many rows there are.

Each word of the `search_key` of a `Searched` row stands in `search_word`, kept by triggers of the database (migration
0020): no import, copy or correction writes a name past them. A search looks for the beginning of a word by comparisons
alone, which use the table's key under row-level security too. Rows are found by the longest word sought; the others
may stand anywhere in the key.
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

#: What the words of a folded text are cut at, besides blanks; the triggers say the same.
SEPARATORS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~’‘“”„«»–—…°•\t\n\r"
_BLANKS = str.maketrans(SEPARATORS, " " * len(SEPARATORS))
#: What sorts after any text that begins alike.
_LAST = "\U0010ffff"
_SHORTEST_NUMBER = 4
#: the letters that end an INE, which may stand apart from its digits
_MOST_LETTERS = 2
_LARGEST_ID = 9_999_999_999


class Searched:
    """Mark rows whose `search_key` is cut into words; those of one word stand by name, or the latest first."""

    latest_first: ClassVar[bool] = False


class SearchWord(Owned, Model):
    """A word of the search key of a row; written by triggers alone.

    Its school is not a foreign key: the rows of whose names it is a word have one, and an import adds three words for
    each pupil.
    """

    __tablename__ = "search_word"
    __table_args__ = {"sqlite_with_rowid": False}

    establishment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: the table of the row
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    word: Mapped[str] = mapped_column(
        String(450).with_variant(String(450, collation="C"), "postgresql"), primary_key=True
    )
    #: what orders the rows of a word: their search key, or their ids turned round
    sort_key: Mapped[str] = mapped_column(String(320), primary_key=True)
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    #: how many letters it shares with the word of the same row before it: a search for no more letters than that has
    #: found the row already; in the key's index too on PostgreSQL, which then reads nothing else
    shared: Mapped[int]


@dataclass(frozen=True)
class Search:
    """A text looked for among the rows of a searched model.

    `numbers` is a column that the person may read whole: a text all of whose words hold a digit, except the one or two
    letters that end an INE, is looked for there, typed in one piece or in several.
    """

    model: Any
    text: str
    numbers: Any = None

    @property
    def words(self) -> list[str]:
        """Return the words sought, the longest first; none where a number is."""
        return [] if self.number else sorted(cut_words(self.text), key=lambda word: (-len(word), word))

    @property
    def number(self) -> str:
        """Return the beginning of the number sought; empty where words are."""
        words = fold(self.text).translate(_BLANKS).split()
        number = "".join(words).upper()
        letters = "".join(word for word in words if not set(word) & set(digits))
        is_number = len(letters) <= _MOST_LETTERS and number.endswith(letters.upper())
        return number if self.numbers is not None and is_number and len(number) >= _SHORTEST_NUMBER else ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the rows found, for a statement with an order of its own."""
        if self.number:
            return self._numbered()
        if not self.words:
            return [false()]
        rows = select(SearchWord.row_id).where(*self._first_word())
        return [self.model.id.in_(rows), *self._other_words(self.model.search_key)]

    def rank(self, statement: Select[Any]) -> tuple[Select[Any], list[Any]]:
        """Return a statement on the model narrowed to the rows found, with their order, the id last.

        They stand by the word found, then as the rows of one word do; by number where one is sought. It is the order
        of an index: no row beyond those shown is read.
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
        """Return the values by which a row is ranked, its id last; None when it is not found."""
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
    """Return the conditions that a row of a searched model holds the words of a text; none for a blank one."""
    return Search(model, text).conditions() if text.strip() else []


def cut_words(text: str) -> set[str]:
    """Return the words of a text, folded: what stands between blanks, hyphens, apostrophes, points and the like."""
    return split_words(fold(text))


def split_words(key: str) -> set[str]:
    """Return the words of a text that is folded already."""
    return {word for word in key.translate(_BLANKS).split(" ") if word}
