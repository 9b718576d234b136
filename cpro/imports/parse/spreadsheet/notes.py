"""Parts of a table that are not read: columns, worksheets; and lines that are hidden on the screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.spreadsheet.columns import COLUMNS, OUR_TITLES, WorksheetKind, find_columns, fold_title

#: Number of values of a column used to guess what it is.
SAMPLES = 20
_TITLE_SHOWN = 60
_SHEET_NAME_SHOWN = 31
_COLUMNS_TOLD, _SHEETS_TOLD, _MERGES_TOLD = 40, 10, 10
_ALIKE = 0.75
#: Prefix of the keys of questions about columns, and their maximum length, set by the database.
COLUMN_KEY, _KEY_LENGTH = "column:", 60
_INE = re.compile(r"\d{9}[A-Za-z]{2}|\d{10}[A-Za-z]")
#: Patterns that identify a column by its values, whatever its title.
_SHAPES = {"ine": _INE, "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")}


class ColumnQuestion(NamedTuple):
    """A column that is not recognised, and the columns of the model it may be: (number, title) each."""

    key: str
    title: str
    line: int
    suggested: str
    candidates: tuple[tuple[int, str], ...]
    #: the number of one of them, 0 for none, empty while unanswered
    answer: int | None


@dataclass
class WorksheetNotes:
    """Notes filled while a table is read: complete once the last line was read."""

    #: answers about columns, by the key of the question
    answers: Mapping[str, int] = field(default_factory=dict)
    questions: list[ColumnQuestion] = field(default_factory=list)
    hidden_lines: set[int] = field(default_factory=set)
    #: lines of a CSV file with more values than titles, with the number of values
    long_lines: dict[int, int] = field(default_factory=dict)
    #: positions of the hidden columns, from 0
    hidden_columns: set[int] = field(default_factory=set)
    #: merged cells by their range, « C2:C30 », with their first line
    merges: list[tuple[int, str]] = field(default_factory=list)
    #: names of the other visible, non-empty worksheets
    other_sheets: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def check_line(self, line: int, findings: list[Finding]) -> None:
        """Find HIDDEN_LINE, LINE_TOO_LONG."""
        if line in self.long_lines:
            sentence = (
                f"Cette ligne compte {self.long_lines[line]} valeurs, plus que de titres : un séparateur dans une "
                "valeur (comme la virgule de 2,00E+03) décale les suivantes. Entourez-la de guillemets, ou enregistrez "
                "le tableau en XLSX."
            )
            findings.append(Finding(FindingCode.LINE_TOO_LONG, line, sentence))
        if line in self.hidden_lines:
            sentence = "Cette ligne est masquée ou filtrée dans le classeur : elle est lue comme les autres."
            findings.append(Finding(FindingCode.HIDDEN_LINE, line, sentence))

    def check_hidden_columns(self, line: int, titles: Sequence[str], known: Mapping[str, int]) -> None:
        """Find HIDDEN_COLUMN for the columns that are read; `line` is that of the titles."""
        for place in sorted(self.hidden_columns & set(known.values())):
            sentence = (
                f"La colonne « {titles[place][:_TITLE_SHOWN]} » est masquée dans le classeur : elle est lue comme les "
                "autres."
            )
            self.findings.append(Finding(FindingCode.HIDDEN_COLUMN, line, sentence))

    def check_merges(self, title_line: int) -> None:
        """Find MERGED_CELLS below the titles, for the first ones; merged cells above them are normal."""
        merges = [(line, cells) for line, cells in self.merges if line > title_line]
        for line, cells in merges[:_MERGES_TOLD]:
            sentence = (
                f"Les cellules {cells} sont fusionnées : seule la première a une valeur, les autres sont lues vides. "
                "Défusionnez-les, recopiez la valeur, puis déposez de nouveau le tableau."
            )
            self.findings.append(Finding(FindingCode.MERGED_CELLS, line, sentence))

    def check_sheets(self) -> None:
        """Find OTHER_SHEET, for the first ones."""
        for name in self.other_sheets[:_SHEETS_TOLD]:
            sentence = (
                f"La feuille « {name[:_SHEET_NAME_SHOWN]} » n’est pas lue : seule la première feuille visible l’est. "
                "Déposez l’autre dans un classeur à part."
            )
            self.findings.append(Finding(FindingCode.OTHER_SHEET, 0, sentence))

    def check_columns(
        self,
        line: int,
        titles: Sequence[str],
        unread: Mapping[int, Sequence[str]],
        kind: WorksheetKind,
        known: Mapping[str, int],
    ) -> None:
        """Find UNREAD_COLUMN for the columns with values, {position: first values}; `line` is that of the titles."""
        for place, samples in sorted(unread.items())[:_COLUMNS_TOLD]:
            title = titles[place] if place < len(titles) else ""
            suggested = suggest_column(kind, title, samples, known)
            if title:
                because = _find_named(kind, title, titles, known)
                sentence = f"La colonne « {title[:_TITLE_SHOWN]} » n’est pas reprise{because}."
            else:
                sentence = (
                    f"La colonne {_letters(place)} n’a pas de titre (des cellules fusionnées, peut-être) : elle n’est "
                    "pas reprise."
                )
            if title and self.answers.get(make_column_key(kind, title)) == 0:
                suggested = ""
            if suggested and title:
                sentence += f" Est-ce « {suggested} » ? Répondez sur la page de l’import, ou donnez-lui ce titre."
            elif suggested:
                sentence += f" Est-ce « {suggested} » ? Donnez-lui alors ce titre, puis déposez de nouveau le tableau."
            self.findings.append(Finding(FindingCode.UNREAD_COLUMN, line, sentence))

    def ask_columns(
        self, line: int, titles: Sequence[str], unread: Mapping[int, Sequence[str]], kind: WorksheetKind
    ) -> None:
        """Ask what each column with a title and values is, once per title; `line` is that of the titles."""
        named = find_columns(kind, titles)
        candidates = tuple(
            (number, column.title) for number, column in enumerate(COLUMNS[kind], 1) if column.key not in named
        )
        asked: set[str] = set()
        for place, title in enumerate(titles):
            key, is_answered = make_column_key(kind, title), make_column_key(kind, title) in self.answers
            if fold_title(title) in ("", *OUR_TITLES) or place in named.values() or key in asked or not candidates:
                continue
            if (place in unread or is_answered) and len(asked) < _COLUMNS_TOLD:
                asked.add(key)
                answer = self.answers.get(key)
                valid = answer if answer in (0, *(number for number, _title in candidates)) else None
                suggested = suggest_column(kind, title, unread.get(place, ()), named)
                self.questions.append(ColumnQuestion(key, title, line, suggested, candidates, valid))


def make_column_key(kind: WorksheetKind, title: str) -> str:
    """Return the key of an answer about a column, ignoring case, accents and punctuation."""
    return f"{COLUMN_KEY}{kind.name.lower()}:{fold_title(title)}"[:_KEY_LENGTH]


def place_answered(
    kind: WorksheetKind, titles: Sequence[str], places: dict[str, int], answers: Mapping[str, int]
) -> None:
    """Add the positions of the columns identified by answers; a column recognised by its title is kept."""
    columns = dict(enumerate(COLUMNS[kind], 1))
    for place, title in enumerate(titles):
        column = columns.get(answers.get(make_column_key(kind, title), 0))
        if column and place not in places.values():
            places.setdefault(column.key, place)


def suggest_column(kind: WorksheetKind, title: str, samples: Sequence[str], known: Mapping[str, int]) -> str:
    """Return the model title that a column most likely corresponds to, among those not found; "" if there is none."""
    missing = [column for column in COLUMNS[kind] if column.key not in known]
    for column in missing:
        shape = _SHAPES.get(column.key)
        if shape and samples and all(shape.fullmatch(value) for value in samples):
            return column.title
    titles = {name: column.title for column in missing for name in (fold_title(column.title), *column.other_titles)}
    folded = fold_title(title)
    for name in get_close_matches(folded, titles, n=1, cutoff=_ALIKE):
        return titles[name]
    words = f" {folded} "
    for name in sorted(titles, key=len, reverse=True):
        if len(name) > 2 and f" {name} " in words:
            return titles[name]
    return ""


def _find_named(kind: WorksheetKind, title: str, titles: Sequence[str], known: Mapping[str, int]) -> str:
    """Return why a column with a known title is not read: another column with a preferred title is."""
    folded = fold_title(title)
    for column in COLUMNS[kind]:
        if column.key in known and column.is_named(folded):
            return f", parce que la colonne « {titles[known[column.key]][:_TITLE_SHOWN]} » est déjà lue à sa place"
    return ""


def _letters(place: int) -> str:
    """Return a spreadsheet's name for a column: A, B, …, Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
