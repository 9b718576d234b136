"""Read the lines of a CSV file, separated by `;`, `,` or tabs; the encoding is detected.

UTF-8 with or without BOM, UTF-16 with BOM (« Texte Unicode » of Excel), Windows-1252, or Mac OS Roman (Excel for Mac).
The last two are distinguished by bytes that are letters in one of them and signs in the other.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from cpro.imports.errors import EmptyFile, StrayQuote, UnknownTableEncoding, UnreadableTable

_CHUNK_SIZE = 1 << 20
#: Maximum characters of a line: a spreadsheet cell holds up to 32 767, and a line of ours some dozens.
_LINE_LENGTH = 1 << 17
_SEPARATOR_LINE = re.compile(r"sep=([;,\t])\s*", re.IGNORECASE)
_SEPARATORS = ";,\t"
#: Number of lines searched for the separator.
_HEAD_LINES = 20
#: Inside a word, bytes that are letters in Mac OS Roman (ÇÉàâäåçéèêëíìîïôùû) and signs in Windows-1252; and bytes that
#: are clearly letters in Windows-1252 (àâçèéêëîïôùû), but capitals or signs in Mac OS Roman.
_MAC_LETTERS = re.compile(
    rb"(?<=[a-z])[\x88\x89\x8d-\x91\x94\x95\x99\x9d](?=[a-z;,\t\r\n\"])"
    rb"|(?<=[A-Z])[\x88\x89\x8d-\x91\x94\x95\x99\x9d](?=[a-z])"
    rb"|(?<=[A-Z])[\x82\x83](?=[A-Z;,\t\r\n\"])"
)
_WINDOWS_LETTERS = re.compile(rb"(?<=[A-Za-z])[\xe0\xe2\xe7-\xeb\xee\xef\xf4\xf9\xfb](?=[a-z;,\t\r\n\"])")
_UNDEFINED_IN_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
#: Our own files put it before values that a spreadsheet would take for a formula.
_DEFUSED = re.compile(r"'(?=[=+\-@|\t\r])")


def iter_csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the values of each non-blank line, with the number of its first line.

    Raises EmptyFile, StrayQuote, UnknownTableEncoding, UnreadableTable. Memory is bounded for any input.
    """
    with path.open(encoding=_detect_encoding(path), errors="strict", newline="") as file:
        try:
            yield from _values(file)
        except UnicodeDecodeError as error:
            raise UnreadableTable from error


def _values(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    lines = _lines(file)
    head = list(islice(lines, _HEAD_LINES))
    announced = _SEPARATOR_LINE.fullmatch(head[0]) if head else None
    skipped = 1 if announced else 0
    if not any(line.strip() for line in head[skipped:]):
        raise EmptyFile
    delimiter = announced[1] if announced else _detect_delimiter(head)
    reader = csv.reader(chain(head[skipped:], lines), delimiter=delimiter, strict=True)
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise StrayQuote(line) from error
        values = [_DEFUSED.sub("", cell.strip(), count=1) for cell in cells]
        if any(values):
            yield line, values


def _detect_delimiter(head: Sequence[str]) -> str:
    """Return the separator of the first line that contains several, since a title may precede it."""
    for line in head:
        delimiter = max(_SEPARATORS, key=line.count)
        if line.count(delimiter) > 1:
            return delimiter
    return max(_SEPARATORS, key="".join(head).count)


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_LINE_LENGTH):
        if len(line) == _LINE_LENGTH or "\0" in line:
            raise UnreadableTable
        yield line


def _detect_encoding(path: Path) -> str:
    """Return the encoding of the whole file, by the rules above; raises UnknownTableEncoding if it is ambiguous."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        try:
            while chunk := file.read(_CHUNK_SIZE):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _windows_or_mac(path)
    return "utf-8-sig"


def _windows_or_mac(path: Path) -> str:
    mac = windows = 0
    is_windows = True
    with path.open("rb") as file:
        while line := file.readline(_LINE_LENGTH):
            if b"\0" in line:
                raise UnreadableTable
            if not line.isascii():
                mac += len(_MAC_LETTERS.findall(line))
                windows += len(_WINDOWS_LETTERS.findall(line))
                is_windows = is_windows and not _UNDEFINED_IN_WINDOWS.search(line)
    if not mac and is_windows:
        return "cp1252"
    if mac and not windows:
        return "mac_roman"
    raise UnknownTableEncoding
