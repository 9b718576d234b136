"""Read the lines of the first visible worksheet of a workbook, as text, in bounded memory.

This uses the XML reader of the ministry's files rather than a spreadsheet library: a single distant cell makes the fast
library abort the process, and the other one keeps whole worksheets in memory (decision 0015). A formula gives the value
last computed by the spreadsheet; a date gives its day.
Source of the format: ECMA-376, part 1, SpreadsheetML.
"""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import floor
from pathlib import Path
from posixpath import normpath
from typing import IO

from cpro.core.formatting import format_date
from cpro.core.parsing import read_integer, read_number
from cpro.imports.errors import FileRefused, TooManyLines, UnreadableTable
from cpro.imports.parse.files.archives import open_archive
from cpro.imports.parse.spreadsheet.notes import WorksheetNotes
from cpro.imports.parse.xml.document import Element, iter_records

#: Maximum bytes of the parts, unpacked. Texts are kept in memory, the worksheet is not.
_WORKSHEET_SIZE, _TEXTS_SIZE, _PART_SIZE = 100 << 20, 30 << 20, 5 << 20
MAX_COLUMNS = 60
_SHEETS_LOOKED_AT = 10
#: Far more shared texts than 100 000 people need; a file of half a megabyte may declare five million.
_MOST_TEXTS = 1_000_000
#: Maximum consecutive rows and cells without a value: nothing meaningful comes after.
_MOST_BLANKS = 500_000
_TEXT_LENGTH = 1000
#: the maximum number of lines in a worksheet
_LAST_ROW = 1 << 20
_MEMORY_SIZE = 1 << 20
_BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_BUILT_IN_SCIENTIFIC = (11, 48)
_DATE, _SCIENTIFIC = "date", "scientific"
_FIXED_WIDTH = re.compile("0{2,20}")
_NOT_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_COLUMN = re.compile(r"([A-Z]{1,3})[0-9]+")
_MERGED = re.compile(r"[A-Z]{1,3}([0-9]{1,7}):[A-Z]{1,3}[0-9]{1,7}")
_MOST_MERGES = 1000
#: The format's escapes for a tab, an end of line, and an underscore that would start such an escape.
_ESCAPES = {"_x0009_": "\t", "_x000A_": "\n", "_x000D_": "\r", "_x005F_": "_"}
_ESCAPED = re.compile("|".join(_ESCAPES))
_RELATION_ID = "id"
_TOO_LARGE = "Ce classeur est trop volumineux : gardez une seule feuille, sans mise en forme ni image."
_TOO_BLANK = (
    "Ce classeur contient trop de lignes vides : supprimez celles qui suivent la dernière personne, puis "
    "enregistrez-le."
)


def iter_xlsx_lines(path: Path, notes: WorksheetNotes | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield the values of each non-blank line, with its number; note what is hidden or not read.

    Raises UnreadableTable, TooManyLines.
    """
    try:
        with open_archive(path) as archive:
            yield from _lines(archive, notes or WorksheetNotes())
    except TooManyLines:
        raise
    except (FileRefused, KeyError, OverflowError) as error:
        raise UnreadableTable from error


@dataclass(frozen=True, slots=True)
class _Workbook:
    texts: _Texts
    number_formats: list[str]
    first_day: dt.date


def _lines(archive: zipfile.ZipFile, notes: WorksheetNotes) -> Iterator[tuple[int, list[str]]]:
    [(_, first), *others], first_day = _find_worksheets(archive)
    with _open_texts(archive) as texts:
        book = _Workbook(texts, _number_formats(archive), first_day)
        yield from _rows(archive, first, book, notes)
        notes.other_sheets += [
            name for name, part_name in others[:_SHEETS_LOOKED_AT] if _has_rows(archive, part_name, book)
        ]


def _rows(
    archive: zipfile.ZipFile, part_name: str, book: _Workbook, notes: WorksheetNotes
) -> Iterator[tuple[int, list[str]]]:
    number = blanks = 0
    with _part(archive, part_name, _WORKSHEET_SIZE) as stream:
        for element in iter_records(stream, ("{*}col", "{*}row", "{*}mergeCell"), depth=2):
            if not element.tag.endswith("}row"):
                _note_layout(element, notes)
                continue
            number = _line_number(element, after=number)
            cells = _cells(element, book)
            blanks = 0 if any(cells) else blanks + 1 + len(element)
            if blanks > _MOST_BLANKS:
                raise TooManyLines(_TOO_BLANK)
            if any(cells):
                if _is_hidden(element):
                    notes.hidden_lines.add(number)
                yield number, cells


def _note_layout(element: Element, notes: WorksheetNotes) -> None:
    """Note the hidden columns of a `col`, or the range of a `mergeCell`."""
    if element.tag.endswith("}col"):
        first, last = _index(element.get("min")), _index(element.get("max"))
        if _is_hidden(element) and first > 0:
            notes.hidden_columns.update(range(first - 1, min(last, MAX_COLUMNS)))
    elif (merged := _MERGED.fullmatch(element.get("ref", ""))) and len(notes.merges) < _MOST_MERGES:
        notes.merges.append((_index(merged[1]), merged[0]))


def _is_hidden(element: Element) -> bool:
    return element.get("hidden") in ("1", "true")


def _has_rows(archive: zipfile.ZipFile, part_name: str, book: _Workbook) -> bool:
    """Return whether another worksheet is not empty; one that cannot be read is assumed not to be."""
    try:
        return any(True for _ in _rows(archive, part_name, book, WorksheetNotes()))
    except (FileRefused, KeyError, OverflowError):
        return True


@contextmanager
def _part(archive: zipfile.ZipFile, name: str, limit: int) -> Iterator[IO[bytes]]:
    """Open a part as a seekable file; raises TooManyLines when it is too large."""
    member = archive.getinfo(name)
    if member.file_size > limit:
        raise TooManyLines(_TOO_LARGE)
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_SIZE) as copy, archive.open(member) as source:
        while chunk := source.read(1 << 16):
            copy.write(chunk)
        yield copy


def _find_worksheets(archive: zipfile.ZipFile) -> tuple[list[tuple[str, str]], dt.date]:
    """Return the visible worksheets, (name, part) each, and the workbook's date epoch.

    Raises UnreadableTable if there is none.
    """
    relations, first_day = {}, dt.date(1899, 12, 30)
    with _part(archive, "xl/_rels/workbook.xml.rels", _PART_SIZE) as stream:
        for relation in iter_records(stream, ("{*}Relationship",), depth=1):
            relations[relation.get("Id")] = relation.get("Target", "")
    worksheets: list[tuple[str, str]] = []
    with _part(archive, "xl/workbook.xml", _PART_SIZE) as stream:
        for element in iter_records(stream, ("{*}sheet", "{*}workbookPr"), depth=2):
            if element.tag.endswith("workbookPr"):
                if element.get("date1904") in ("1", "true"):
                    first_day = dt.date(1904, 1, 1)
            elif element.get("state", "visible") == "visible":
                # r:id, whose namespace differs between the two variants of the format
                target = next((value for key, value in element.items() if key.endswith("}" + _RELATION_ID)), "")
                worksheets.append((element.get("name", ""), relations.get(target, "")))
    if not worksheets or not worksheets[0][1]:
        raise UnreadableTable
    return [
        (name, target[1:] if target.startswith("/") else normpath(f"xl/{target}")) for name, target in worksheets
    ], first_day


class _Texts:
    """The shared texts of a workbook, read as far as needed: the titles alone need the first few."""

    def __init__(self, items: Iterator[Element]) -> None:
        self._items = items
        self._read: list[str] = []

    def get(self, index: int) -> str:
        """Return a text without its phonetic guides, "" past the end. Raises TooManyLines."""
        while index >= len(self._read):
            if len(self._read) >= _MOST_TEXTS:
                raise TooManyLines(_TOO_LARGE)
            item = next(self._items, None)
            if item is None:
                return ""
            self._read.append(_rich_text(item))
        return self._read[index] if index >= 0 else ""


@contextmanager
def _open_texts(archive: zipfile.ZipFile) -> Iterator[_Texts]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        yield _Texts(iter(()))
        return
    with _part(archive, "xl/sharedStrings.xml", _TEXTS_SIZE) as stream:
        yield _Texts(iter_records(stream, ("{*}si",), depth=1))


def _number_formats(archive: zipfile.ZipFile) -> list[str]:
    """Return, by cell style index, the number format: DATE, SCIENTIFIC, the zeros of a fixed width, or ""."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    formats = {index: _DATE for index in _BUILT_IN_DATES} | {index: _SCIENTIFIC for index in _BUILT_IN_SCIENTIFIC}
    styles: list[str] = []
    with _part(archive, "xl/styles.xml", _PART_SIZE) as stream:
        for element in iter_records(stream, ("{*}numFmt", "{*}cellXfs"), depth=2):
            if element.tag.endswith("numFmt"):
                formats[_index(element.get("numFmtId"))] = _read_format(element.get("formatCode", ""))
            else:
                styles += [formats.get(_index(xf.get("numFmtId", "0")), "") for xf in element.iterchildren("{*}xf")]
    return styles


def _read_format(code: str) -> str:
    if _FIXED_WIDTH.fullmatch(code):
        return code
    shown = _NOT_FORMAT.sub("", code)
    if re.search("E[+-]", shown):
        return _SCIENTIFIC
    return _DATE if re.search("[dmy]", shown, re.IGNORECASE) else ""


def _line_number(row: Element, *, after: int) -> int:
    """Return a line's number, or the next one if not given. Raises `UnreadableTable` past the last possible line."""
    number = read_integer(row.get("r") or after + 1, smallest=after + 1, largest=_LAST_ROW)
    if number is None:
        raise UnreadableTable
    return number


def _index(text: str | None) -> int:
    """Return the index referring to another part of the file, or -1 if invalid."""
    found = read_integer((text or "").strip())
    return -1 if found is None else found


def _cells(row: Element, book: _Workbook) -> list[str]:
    cells: list[str] = []
    column = -1
    for cell in row.iterchildren("{*}c"):
        reference = _COLUMN.fullmatch(cell.get("r", ""))
        column = _column_index(reference[1]) if reference else column + 1
        if column < MAX_COLUMNS:
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = _value(cell, book).strip()
    return cells


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _value(cell: Element, book: _Workbook) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find("{*}is")
        return "" if inline is None else _rich_text(inline)
    value = cell.findtext("{*}v") or ""
    if kind == "s":
        index = _index(value)
        return book.texts.get(index)
    if kind == "b":
        return "VRAI" if value == "1" else "FAUX"
    if kind == "d":
        return value[:10]
    if kind == "n" and value:
        style = _index(cell.get("s", "0"))
        number_format = book.number_formats[style] if 0 <= style < len(book.number_formats) else ""
        return _number(value, number_format, book.first_day)
    return value[:_TEXT_LENGTH]


def _number(value: str, number_format: str, first_day: dt.date) -> str:
    """Return a number as the worksheet shows it, if the format changes what was typed."""
    number = read_number(value)
    if number is None:
        return value[:_TEXT_LENGTH]
    if number_format == _DATE and 1 <= number <= (dt.date.max - first_day).days:
        return format_date(first_day + dt.timedelta(days=floor(number)))
    if number_format == _SCIENTIFIC:
        return f"{number:.2E}".replace(".", ",")
    if not number.is_integer():
        return value[:_TEXT_LENGTH]
    return str(floor(number)).rjust(len(number_format) if _FIXED_WIDTH.fullmatch(number_format) else 0, "0")


def _rich_text(item: Element) -> str:
    parts = [text.text or "" for text in item.iterchildren("{*}t")]
    for run in item.iterchildren("{*}r"):
        parts += [text.text or "" for text in run.iterchildren("{*}t")]
    text = "".join(parts)[:_TEXT_LENGTH]
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text) if "_x" in text else text
