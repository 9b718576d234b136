"""Detect what a file is made of from its first bytes."""

from __future__ import annotations

import enum
from pathlib import Path

from cpro.imports.errors import EmptyFile, UnreadableTable, UnsupportedArchive
from cpro.imports.parse.files.archives import open_archive

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER_ARCHIVE_STARTS = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_OLD_WORKBOOK_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKBOOK_PART = "xl/workbook.xml"


class Shape(enum.Enum):
    """What a file is made of."""

    TEXT = "texte"
    WORKBOOK = "classeur XLSX"
    ARCHIVE = "archive"


def detect_shape(path: Path) -> Shape:
    """Return what the file is made of; raises EmptyFile, UnsupportedArchive, UnreadableTable for an old workbook."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start.strip():
        raise EmptyFile
    if start.startswith(_OTHER_ARCHIVE_STARTS):
        raise UnsupportedArchive
    if start.startswith(_OLD_WORKBOOK_START):
        raise UnreadableTable
    if not start.startswith(_ZIP_STARTS):
        return Shape.TEXT
    with open_archive(path) as archive:
        return Shape.WORKBOOK if _WORKBOOK_PART in archive.namelist() else Shape.ARCHIVE
