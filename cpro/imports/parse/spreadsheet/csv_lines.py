"""Read the lines of a CSV file: `;` or `,`, UTF-8 with or without its mark, or Windows-1252."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from cpro.imports.errors import EmptyFile, UnreadableTable

_CHUNK_SIZE = 1 << 20
#: Characters of a line: a cell of a spreadsheet holds 32 767, and a line of ours some dozens.
_LINE_LENGTH = 1 << 17
_SEPARATOR_LINE = re.compile(r"sep=([;,])\s*", re.IGNORECASE)
#: Our own files put it before what a spreadsheet would take for a formula.
_DEFUSED = re.compile(r"'(?=[=+\-@\t\r])")


def iter_csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the values of each line that is not blank, with the number at which it begins.

    Raises EmptyFile, UnreadableTable. Memory is bounded whatever the lines.
    """
    with path.open(encoding=_encoding(path), errors="strict", newline="") as file:
        try:
            yield from _values(file)
        except (csv.Error, UnicodeDecodeError) as error:
            raise UnreadableTable from error


def _values(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    lines = _lines(file)
    first, line = next(lines, ""), 1
    announced = _SEPARATOR_LINE.fullmatch(first)
    if announced:
        first, line = next(lines, ""), 2
    while first and not first.strip():
        first, line = next(lines, ""), line + 1
    if not first:
        raise EmptyFile
    delimiter = announced[1] if announced else ";" if first.count(";") >= first.count(",") else ","
    reader = csv.reader(_chain(first, lines), delimiter=delimiter, strict=True)
    read = 0
    for cells in reader:
        values = [_DEFUSED.sub("", cell.strip(), count=1) for cell in cells]
        if any(values):
            yield line + read, values
        read = reader.line_num


def _chain(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_LINE_LENGTH):
        if len(line) == _LINE_LENGTH or "\0" in line:
            raise UnreadableTable
        yield line


def _encoding(path: Path) -> str:
    """Return UTF-8 when the whole file is, Windows-1252 otherwise; raises UnreadableTable for UTF-16."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise UnreadableTable
        file.seek(0)
        try:
            while chunk := file.read(_CHUNK_SIZE):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
