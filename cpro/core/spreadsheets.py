"""Tables as files that no spreadsheet executes: CSV for French spreadsheets, XLSX of texts, days and figures.

A cell that begins with = + - @, a tab or a carriage return is read as a formula by spreadsheets (OWASP, « CSV
injection »), and one that begins with | calls a program in old ones (DDE): in CSV it gets a leading apostrophe, in XLSX
it is written as the text it is.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import xlsxwriter

from cpro.core.formatting import format_date

_FORMULA_STARTS = ("=", "+", "-", "@", "|", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"  # without it, Excel reads UTF-8 as Windows-1252
#: How days and instants show, by the type of the cell.
_DATE_FORMATS: dict[type, str] = {dt.date: "dd/mm/yyyy", dt.datetime: "dd/mm/yyyy hh:mm"}
#: Spreadsheets count days from 1900, which they take for a leap year: a day before this month is written as text.
_FIRST_MONTH = (1900, 3)
#: What a worksheet's name may not hold, and its length.
_WORKSHEET_NAME_FORBIDDEN, _WORKSHEET_NAME_LENGTH = str.maketrans("", "", "[]:*?/\\'"), 31


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the lines of a CSV file: semicolons, UTF-8 with its mark, CRLF; nothing is held in memory."""
    yield _BYTE_ORDER_MARK
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([_defused(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def xlsx_file(rows: Iterable[Sequence[Any]], *, title: str) -> bytes:
    """Return a workbook of one worksheet, the first row bold and kept in view.

    Days and instants (on the clocks of the reader, without an offset) are dates that sort and count, integers are
    figures; all the rest is text.
    """
    buffer = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        worksheet = book.add_worksheet(title.translate(_WORKSHEET_NAME_FORBIDDEN)[:_WORKSHEET_NAME_LENGTH])
        bold = book.add_format({"bold": True})
        dates = {kind: book.add_format({"num_format": shown}) for kind, shown in _DATE_FORMATS.items()}
        worksheet.freeze_panes(1, 0)
        for index, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, dt.date) and (cell.year, cell.month) >= _FIRST_MONTH:
                    worksheet.write_datetime(index, column, cell, dates[type(cell)])
                elif type(cell) is int:
                    worksheet.write_number(index, column, cell)
                else:
                    worksheet.write_string(index, column, _text(cell), bold if index == 0 else None)
    return buffer.getvalue()


def _text(cell: Any) -> str:
    if isinstance(cell, dt.date):
        return format_date(cell)
    return "" if cell is None else str(cell)


def _defused(cell: Any) -> str:
    text = _text(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
