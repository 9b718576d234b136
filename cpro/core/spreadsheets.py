"""Write tables as files that spreadsheets cannot execute: CSV for French ones, XLSX of texts, dates and numbers.

A cell that begins with = + - @, a tab or a carriage return is read as a formula by spreadsheets (OWASP, « CSV
injection »), and one that begins with | runs a program in old ones (DDE): in CSV it is prefixed with an apostrophe,
in XLSX it is written as plain text.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from operator import itemgetter
from typing import Any
from xml.sax.saxutils import escape

from cpro.core.formatting import format_date

_FORMULA_STARTS = ("=", "+", "-", "@", "|", "\t", "\r")
_STARTS, _FIRST = frozenset(_FORMULA_STARTS), itemgetter(slice(0, 1))
_BYTE_ORDER_MARK = "\ufeff"  # without it, Excel reads UTF-8 as Windows-1252
#: Number format of days and instants, by the cell's type.
_DATE_FORMATS: dict[type, str] = {dt.date: "dd/mm/yyyy", dt.datetime: "dd/mm/yyyy hh:mm"}
#: Spreadsheets count days from 1900, treated as a leap year: a day before this month is written as text.
_FIRST_MONTH = (1900, 3)
_DAY_ZERO, _DAY = dt.datetime(1899, 12, 30), dt.timedelta(days=1)
#: How many columns are made wide enough for a date and time, in characters: a narrower one shows « ##### ».
_COLUMNS, _WIDTH = 64, 18
#: The longest text of a cell, and the characters XML forbids, written with the spreadsheets' own escapes.
_LONGEST_TEXT, _NOT_IN_XML = 32_767, re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
#: The maximum number of rows of a worksheet, below its titles.
MOST_ROWS = 1_048_575
_WORKSHEET = "xl/worksheets/sheet1.xml"
#: Sending takes the most time: the fastest compression level, which still divides such a file by ten.
_COMPRESSION = 1
#: The characters forbidden in a worksheet's name, and its maximum length.
_WORKSHEET_NAME_FORBIDDEN, _WORKSHEET_NAME_LENGTH = str.maketrans("", "", "[]:*?/\\'"), 31

#: Some rows of a table, column by column.
Block = Sequence[Sequence[Any]]


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the lines of a CSV file: semicolons, UTF-8 with its byte order mark, CRLF; memory use is constant."""
    yield _BYTE_ORDER_MARK
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([_defused(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def csv_chunks(titles: Sequence[str], blocks: Iterable[Block]) -> Iterator[bytes]:
    """Yield a CSV file like `csv_lines`, one block of texts at a time; the first chunk includes the first block."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write(_BYTE_ORDER_MARK)
    writer.writerow(map(_defused, titles))
    for block in blocks:
        writer.writerows(zip(*map(_defused_column, block), strict=True))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def xlsx_file(rows: Iterable[Sequence[Any]], *, title: str) -> bytes:
    """Return a workbook like `xlsx_chunks`, from rows of which the first contains the titles."""
    titles, *others = rows
    return b"".join(xlsx_chunks(titles, [list(zip(*others, strict=True))] if others else [], title=title))


def xlsx_chunks(titles: Sequence[str], blocks: Iterable[Block], *, title: str) -> Iterator[bytes]:
    """Yield a workbook of one worksheet, one block at a time; the first row is bold and frozen.

    Dates and instants (naive, in the reader's time zone) are real dates, integers are numbers; everything else is
    text. A truncated file lacks the directory at its end, so no program opens it.
    """
    parts, (before, after), styles = _empty_workbook(title)
    chunks = _Chunks()
    with zipfile.ZipFile(chunks, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as book:
        for name, content in parts.items():
            book.writestr(name, content)
        with book.open(_WORKSHEET, "w") as sheet:
            row_number = 1
            sheet.write(before + _rows_xml([[each] for each in titles], row_number, {str: styles[str]}))
            for block in blocks:
                row_number += 1
                sheet.write(_rows_xml(block, row_number, {**styles, str: ""}))
                row_number += len(block[0]) - 1
                yield chunks.take()
            sheet.write(after)
    yield chunks.take()


class _Chunks:
    """The output of a workbook: a forward-only stream, emptied as it is sent."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, content: bytes, /) -> int:
        """Buffer the content until `take` is called."""
        self._written.append(bytes(content))
        return len(content)

    def flush(self) -> None:
        """Do nothing: the buffer is in memory."""

    def close(self) -> None:
        """Do nothing: the rest is still to be taken."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        written = b"".join(self._written)
        self._written.clear()
        return written


@cache
def _empty_workbook(title: str) -> tuple[dict[str, bytes], tuple[bytes, bytes], dict[type, str]]:
    """Return an empty workbook: its other parts, the XML around the rows, the style of each type of cell."""
    import xlsxwriter  # only for the processes that write one

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        worksheet = book.add_worksheet(title.translate(_WORKSHEET_NAME_FORBIDDEN)[:_WORKSHEET_NAME_LENGTH])
        worksheet.freeze_panes(1, 0)
        worksheet.set_column(0, _COLUMNS - 1, _WIDTH)
        kinds = {str: {"bold": True}, **{kind: {"num_format": shown} for kind, shown in _DATE_FORMATS.items()}}
        for column, shown in enumerate(kinds.values()):
            worksheet.write_number(0, column, 0, book.add_format(shown))
    with zipfile.ZipFile(buffer) as made:
        parts = {name: made.read(name) for name in made.namelist()}
    sheet = parts.pop(_WORKSHEET)
    styles = [f' s="{number.decode()}"' for number in re.findall(rb'<c [^>]*s="(\d+)"', sheet)]
    before, after = re.split(rb"(?<=<sheetData>).*(?=</sheetData>)", re.sub(rb"<dimension[^>]*>", b"", sheet))
    return parts, (before, after), dict(zip(kinds, styles, strict=True))


def _rows_xml(block: Block, first_row: int, styles: Mapping[type, str]) -> bytes:
    from xlsxwriter.utility import xl_col_to_name

    columns = [map(partial(_cell_xml, styles), cells) for cells in block]
    letters = [f'<c r="{xl_col_to_name(column)}' for column in range(len(block))]
    rows = []
    for number, cells in enumerate(zip(*columns, strict=True), first_row):
        filled = [f'{letter}{number}"{cell}' for letter, cell in zip(letters, cells, strict=True)]
        rows.append(f'<row r="{number}">{"".join(filled)}</row>')
    return "".join(rows).encode()


def _cell_xml(styles: Mapping[type, str], cell: Any) -> str:
    """Return the XML of a cell, without its reference."""
    kind = type(cell)
    if kind is int:
        return f"><v>{cell}</v></c>"
    if isinstance(cell, dt.date) and (cell.year, cell.month) >= _FIRST_MONTH:
        moment = cell if isinstance(cell, dt.datetime) else dt.datetime(cell.year, cell.month, cell.day)
        return f"{styles[kind]}><v>{(moment - _DAY_ZERO) / _DAY:.16G}</v></c>"
    text = cell if kind is str else _text(cell)
    if len(text) > _LONGEST_TEXT:
        text = f"{text[: _LONGEST_TEXT - 1]}…"
    if not text.isalnum():
        text = _NOT_IN_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", escape(text))
    return f'{styles[str]} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _text(cell: Any) -> str:
    if isinstance(cell, dt.date):
        return format_date(cell.date() if isinstance(cell, dt.datetime) else cell)
    return "" if cell is None else str(cell)


def _defused_column(texts: Sequence[str]) -> Sequence[str]:
    return texts if _STARTS.isdisjoint(map(_FIRST, texts)) else [_defused(text) for text in texts]


def _defused(cell: Any) -> str:
    text = _text(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
