"""Identify common formats that are not supported, so that the refusal can say how to save the file."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from cpro.imports.errors import EncryptedWorkbook, OtherFormat, UnknownFile, UnreadableTable

_COMPOUND_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: PDF, PNG, JPEG, GIF, RTF: none of them contains a table, whatever the file name.
NO_TABLE_STARTS = (b"%PDF-", b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"{\\rtf")
_WEB_ARCHIVE_START = b"mime-version:"
_DIRECTORY_SIZE = 4096
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument."
_OTHER_OFFICE_PARTS = frozenset({"word/document.xml", "ppt/presentation.xml"})
_FORMAT_NAMES = {
    "xls": "un classeur de l’ancien format d’Excel (.xls)",
    "xlsb": "un classeur binaire d’Excel (.xlsb)",
    "ods": "un classeur OpenDocument (.ods)",
    "numbers": "un document de Numbers",
    "mht": "un tableau enregistré au format page web (.mht)",
}


def require_format_read(path: Path, start: bytes) -> None:
    """Refuse a file that is not an archive if its first bytes are those of a known unsupported format.

    Raises OtherFormat or EncryptedWorkbook for a workbook, UnknownFile for a document of that family.
    """
    if start.lower().startswith(_WEB_ARCHIVE_START):
        raise OtherFormat(_FORMAT_NAMES["mht"])
    if start.startswith(_COMPOUND_START):
        _refuse_compound_file(path)


def require_archive_read(archive: zipfile.ZipFile) -> None:
    """Refuse a document that is a zip of parts; raises OtherFormat for a workbook, UnknownFile for any other."""
    names = set(archive.namelist())
    if "xl/workbook.bin" in names:
        raise OtherFormat(_FORMAT_NAMES["xlsb"])
    if "mimetype" in names and "content.xml" in names:
        with archive.open("mimetype") as part:
            kind = part.read(100)
        if kind.startswith(_OPEN_DOCUMENT):
            raise OtherFormat(_FORMAT_NAMES["ods"]) if b"spreadsheet" in kind else UnknownFile
    if "Index/Document.iwa" in names:
        raise OtherFormat(_FORMAT_NAMES["numbers"]) if "Index/CalculationEngine.iwa" in names else UnknownFile
    if names & _OTHER_OFFICE_PARTS:
        raise UnknownFile


def _refuse_compound_file(path: Path) -> None:
    """Refuse a file of Microsoft's older formats, identified by the first streams of its directory ([MS-CFB])."""
    with path.open("rb") as file:
        head = file.read(512)
        if len(head) == 512:
            (shift,), (sector,) = struct.unpack_from("<H", head, 30), struct.unpack_from("<I", head, 48)
            file.seek((sector + 1) << min(shift, 12))
        directory = file.read(_DIRECTORY_SIZE)
    if _has_stream(directory, "EncryptedPackage"):
        raise EncryptedWorkbook
    if _has_stream(directory, "Workbook") or _has_stream(directory, "Book"):
        raise OtherFormat(_FORMAT_NAMES["xls"])
    raise UnknownFile if _has_stream(directory, "Root Entry") else UnreadableTable


def _has_stream(directory: bytes, name: str) -> bool:
    """Return whether a directory entry of 128 bytes starts with a name."""
    wanted = f"{name}\0".encode("utf-16-le")
    return any(directory.startswith(wanted, place) for place in range(0, len(directory), 128))
