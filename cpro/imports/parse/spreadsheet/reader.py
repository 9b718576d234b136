"""Pupils and staff of a completed table; lines are checked by the same rules as the ministry's files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from cpro.core.formatting import format_count
from cpro.core.parsing import read_list
from cpro.core.validators import InvalidEmail, fold, normalise_email
from cpro.imports.errors import EmptyFile, FileRefused, TooManyLines, UnknownFile
from cpro.imports.parse.checks import (
    check_birth_date,
    check_division,
    check_id,
    check_ine,
    check_label,
    check_leaving_date,
    check_mef,
    check_names,
)
from cpro.imports.parse.files.archives import Shape, detect_shape
from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.records import RecordBuffer, StaffRecord, StudentRecord
from cpro.imports.parse.spreadsheet.columns import COLUMNS, WorksheetKind, find_columns, recognise_titles
from cpro.imports.parse.spreadsheet.csv_lines import iter_csv_lines
from cpro.imports.parse.spreadsheet.notes import SAMPLES, WorksheetNotes, place_answered
from cpro.imports.parse.spreadsheet.xlsx_lines import MAX_COLUMNS, iter_xlsx_lines
from cpro.imports.parse.values import (
    LABEL_MAX_LENGTH,
    clean_division_code,
    clean_id,
    effective_ine,
    parse_table_date,
)

MAX_LINES = 100_000
#: Number of lines searched for the titles.
_TITLE_LINES = 10
_CELL_LENGTH = 500
_CELL_ERRORS = re.compile(r"#(?:N/?A|REF!|VALUE!|VALEUR!|NAME\?|NOM\?|DIV/0!|NUM!|NOMBRE!|NULL!|NUL!)")
_CIVILITIES = {"m": "M.", "mr": "M.", "monsieur": "M.", "mme": "Mme", "madame": "Mme", "mlle": "Mme"}
#: Usual names for STS-Web's codes, by the first word or words of the cell, folded; a code is accepted as it is.
_FUNCTIONS = {
    "ENS": "enseignant enseignante prof professeur professeure plp certifie certifiee agrege agregee formateur "
    "formatrice ens".split(),
    "DIR": "direction directeur directrice proviseur proviseure chef dir".split(),
    "DOC": "documentaliste doc".split(),
    "EDU": "cpe conseiller conseillere education edu".split(),
}
_FUNCTION_OF_WORD = {word: code for code, words in _FUNCTIONS.items() for word in words}
_FUNCTION_LENGTH, _FUNCTION_SHOWN = 8, 60
_FUNCTIONS_OFFERED = (
    "indiquez ENS pour un enseignant ou DIR pour la direction, les seuls à qui un tableau ouvre un compte"
)
#: The roles in our list of accounts that no table of staff gives.
_OTHER_ROLES = {"administrateur": "d’un administrateur", "apprenant": "d’un apprenant"}
#: Placeholders of empty values in our list of pupils, by column; a masked INE begins with a bullet.
_NOTHING = {"ine": "sans ine", "division": "aucune", "departed_on": "présent"}
_MASKED = "•"
#: Prefixes in our list of pupils for one who left, and for a row merged into another.
_GONE, _MERGED = "parti", "doublon"


def recognise_worksheet(path: Path) -> WorksheetKind:
    """Return whom a table is about, after checking its required columns; raises FileRefused subclasses."""
    return _find_titles(_iter_lines(path)).kind


def read_student_worksheet(
    path: Path, *, today: dt.date, notes: WorksheetNotes | None = None
) -> Iterator[StudentRecord]:
    """Yield the pupils of a table, in file order, each with its findings; nothing before the whole file is read.

    `notes` receives the findings about the table as a whole. Raises TooManyLines beyond 100 000, and FileRefused
    subclasses.
    """
    ines, numbers, notes = _Repeated(), _Repeated(), notes or WorksheetNotes()
    with RecordBuffer() as buffer:
        for line, cells in _iter_cells(path, WorksheetKind.STUDENTS, notes):
            _read_our_words(cells)
            ine, problem = effective_ine([cells["ine"]])
            ines.note(ine, line)
            numbers.note(cells["number"], line)
            buffer.append((line, cells, ine, problem))
        for line, cells, ine, problem in buffer.replay():
            if cells["departed_on"].casefold().startswith(_MERGED):
                yield _merged(line, cells)
                continue
            findings = _check_cells(line, cells)
            notes.check_line(line, findings)
            number = _number(line, cells["number"], numbers, findings, bearers="élèves")
            check_ine(line, ine, problem, ines.lines(ine), findings)
            yield _student(line, cells, number, ine, today, findings)


def read_staff_worksheet(path: Path, *, notes: WorksheetNotes | None = None) -> Iterator[StaffRecord]:
    """Yield the staff of a table, in file order, each with its findings; raises FileRefused subclasses.

    `notes` receives the findings about the table as a whole.
    """
    notes = notes or WorksheetNotes()
    lines = list(_iter_cells(path, WorksheetKind.STAFF, notes))
    numbers = _Repeated()
    for line, cells in lines:
        numbers.note(cells["number"], line)
    for line, cells in lines:
        yield _member(line, cells, numbers, notes)


def _iter_lines(path: Path, notes: WorksheetNotes | None = None) -> Iterator[tuple[int, list[str]]]:
    return iter_xlsx_lines(path, notes) if detect_shape(path) is Shape.WORKBOOK else iter_csv_lines(path)


class _Titles(NamedTuple):
    """The line of titles: the kind of table, and the position of each known column."""

    kind: WorksheetKind
    line: int
    titles: list[str]
    places: dict[str, int]


def _find_titles(lines: Iterator[tuple[int, list[str]]]) -> _Titles:
    """Advance past the line of titles, and return it.

    A title may precede it. Raises EmptyFile, UnknownFile, MissingColumns.
    """
    refusal: FileRefused = EmptyFile()
    for line, titles in islice(lines, _TITLE_LINES):
        try:
            kind = recognise_titles(titles)
        except UnknownFile as error:
            refusal = error
        else:
            return _Titles(kind, line, titles, find_columns(kind, titles))
    raise refusal


def _iter_cells(path: Path, kind: WorksheetKind, notes: WorksheetNotes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the known cells of each line by column key, "" for missing ones.

    What is not read is noted at the end.
    """
    lines, is_csv = _iter_lines(path, notes), detect_shape(path) is not Shape.WORKBOOK
    _, title_line, titles, places = _find_titles(lines)
    place_answered(kind, titles, places, notes.answers)
    unread = _Unread(titles, places)
    for count, (line, values) in enumerate(lines, 1):
        if count > MAX_LINES:
            raise TooManyLines(f"Ce tableau compte plus de {format_count(MAX_LINES)} lignes : vérifiez-le.")
        if is_csv and len(values) > len(titles):  # a spreadsheet pads each line to the same length
            notes.long_lines[line] = len(values)
            values = values[: len(titles)]
        unread.note(values)
        cells = {column.key: "" for column in COLUMNS[kind]}
        cells.update((key, values[place]) for key, place in places.items() if place < len(values))
        if any(cells.values()):
            yield line, cells
    notes.check_columns(title_line, titles, unread.samples, kind, places)
    notes.ask_columns(title_line, titles, unread.samples, kind)
    notes.check_hidden_columns(title_line, titles, places)
    notes.check_merges(title_line)
    notes.check_sheets()


class _Unread:
    """The first values of the unknown columns, by position."""

    def __init__(self, titles: list[str], places: dict[str, int]) -> None:
        self._width, self._known = len(titles), set(places.values())
        #: positions of titled columns whose samples are not complete
        self._sought = [place for place in range(self._width) if place not in self._known]
        self.samples: dict[int, list[str]] = {}

    def note(self, values: list[str]) -> None:
        """Collect the values of a line as samples, until there are enough."""
        beyond = range(self._width, min(len(values), MAX_COLUMNS))
        for place in [*self._sought, *beyond]:
            samples = self.samples.setdefault(place, []) if place < len(values) and values[place] else None
            if samples is not None and len(samples) < SAMPLES:
                samples.append(values[place])
        self._sought = [place for place in self._sought if len(self.samples.get(place, ())) < SAMPLES]


def _read_our_words(cells: dict[str, str]) -> None:
    """Blank the placeholders of our list of pupils, so that it can be deposited again as exported."""
    for key, nothing in _NOTHING.items():
        if cells[key].casefold() == nothing:
            cells[key] = ""
    if cells["ine"].startswith(_MASKED):
        cells["ine"] = ""


class _Repeated:
    """The lines of each value, to find duplicates."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._again: dict[str, list[int]] = {}

    def note(self, value: str, line: int) -> None:
        """Record a value, unless it is blank."""
        if value in self._first:
            self._again.setdefault(value, [self._first[value]]).append(line)
        elif value:
            self._first[value] = line

    def lines(self, value: str) -> list[int]:
        """Return the lines of a value that appears at least twice."""
        return self._again.get(value, [])


def _number(line: int, text: str, numbers: _Repeated, findings: list[Finding], *, bearers: str) -> str:
    """Return the school's own number of a person, "" if there is none. Find ID_MISSING, ID_DUPLICATE."""
    number = clean_id(text) if text else ""
    if text:
        check_id(line, number, numbers.lines(text), "de la colonne « Numéro »", findings, bearers=bearers)
    return number or ""


def _student(
    line: int, cells: dict[str, str], number: str, ine: str, today: dt.date, findings: list[Finding]
) -> StudentRecord:
    names = check_names(line, cells["last_name"], cells["usage_name"], cells["first_name"], findings)
    birth_date = check_birth_date(line, cells["birth_date"], parse_table_date, today, findings)
    departed_on, has_departed = _check_leaving(line, cells["departed_on"], today, findings)
    mef_code = check_mef(line, cells["mef"], findings)
    division_code = check_division(line, cells["division"], (), has_departed, findings, max_length=LABEL_MAX_LENGTH)
    return StudentRecord(
        line,
        number,
        ine or None,
        *names,
        birth_date,
        mef_code,
        division_code,
        departed_on,
        has_departed,
        tuple(findings),
    )


def _merged(line: int, cells: dict[str, str]) -> StudentRecord:
    """Return a merged row of our list of pupils: nothing but its identity."""
    sentence = "Cette ligne est un doublon déjà réuni à une autre fiche : elle est laissée de côté."
    finding = Finding(FindingCode.MERGED, line, sentence)
    names = check_names(line, cells["last_name"], "", cells["first_name"], [])
    return StudentRecord(line, "", None, *names, None, "", "", None, True, (finding,))


def _check_leaving(line: int, text: str, today: dt.date, findings: list[Finding]) -> tuple[dt.date | None, bool]:
    """Return as `check_leaving_date`; our list of pupils has « parti le 01/02/2026 », or just « parti »."""
    if not text.casefold().startswith(_GONE):
        return check_leaving_date(line, text, parse_table_date, today, findings)
    day = text[len(_GONE) :].strip().removeprefix("le").strip()
    return check_leaving_date(line, day, parse_table_date, today, findings) if day else (None, True)


def _member(line: int, cells: dict[str, str], numbers: _Repeated, notes: WorksheetNotes) -> StaffRecord:
    findings = _check_cells(line, cells)
    notes.check_line(line, findings)
    number = _number(line, cells["number"], numbers, findings, bearers="personnes")
    last_name, _, first_name = check_names(line, cells["last_name"], "", cells["first_name"], findings)
    civility = _CIVILITIES.get(fold(cells["civility"]).strip(" ."), "")
    function = _check_function(line, cells["function"], findings)
    discipline = check_label(line, cells["discipline"], findings)
    email = _email(line, cells["email"], findings)
    divisions = _divisions(line, cells["divisions"], findings)
    disciplines = (discipline,) if discipline else ()
    return StaffRecord(
        line,
        number,
        "",
        civility,
        last_name,
        first_name,
        function,
        disciplines,
        divisions,
        email,
        tuple(findings),
        cells.get("login", ""),
        fold(cells.get("state", "")) == "desactive",
    )


def _check_function(line: int, text: str, findings: list[Finding]) -> str:
    """Return the code of a function, given by code or by name. Find WITHOUT_FUNCTION."""
    words = re.findall(r"[a-z]+", fold(text))
    code = _FUNCTION_OF_WORD.get(words[0]) if words else ""
    if code:
        return code
    if words and words[0] in _OTHER_ROLES:
        sentence = f"Ce compte est celui {_OTHER_ROLES[words[0]]} : un tableau de personnels n’y touche pas."
    elif len(text) > _FUNCTION_LENGTH:
        sentence = f"La fonction « {text[:_FUNCTION_SHOWN]} » n’est pas connue : {_FUNCTIONS_OFFERED}."
    elif not text:
        sentence = f"La fonction est absente : {_FUNCTIONS_OFFERED}."
    else:
        return text.upper()
    findings.append(Finding(FindingCode.WITHOUT_FUNCTION, line, sentence))
    return ""


def _check_cells(line: int, cells: dict[str, str]) -> list[Finding]:
    """Find CELL_REFUSED: a spreadsheet error, or a text that is too long."""
    for text in cells.values():
        if len(text) > _CELL_LENGTH or _CELL_ERRORS.fullmatch(text):
            sentence = "Une cellule contient une erreur de calcul ou un texte trop long : corrigez-la."
            return [Finding(FindingCode.CELL_REFUSED, line, sentence)]
    return []


def _email(line: int, text: str, findings: list[Finding]) -> str:
    try:
        return normalise_email(text)
    except InvalidEmail as error:
        findings.append(Finding(FindingCode.EMAIL_REFUSED, line, f"{error.message} Elle n’est pas reprise."))
        return ""


def _divisions(line: int, text: str, findings: list[Finding]) -> tuple[str, ...]:
    codes: dict[str, None] = {}
    for name in read_list(text):
        code = clean_division_code(name, max_length=LABEL_MAX_LENGTH)
        if code is None:
            sentence = "Le code d’une division est trop long ou illisible : elle est laissée de côté."
            findings.append(Finding(FindingCode.UNKNOWN_DIVISION, line, sentence))
        else:
            codes[code] = None
    return tuple(codes)
