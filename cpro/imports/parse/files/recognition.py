"""Recognise each deposited file by its root element or its column titles, never by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cpro.imports.parse.files.archives import Shape
from cpro.imports.parse.files.extraction import UnpackedFile
from cpro.imports.parse.siecle.header import Header, read_header, recognise_root
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.imports.parse.spreadsheet.reader import recognise_worksheet
from cpro.imports.parse.xml.document import check_end, read_root
from cpro.imports.parse.xml.encoding import Encoding, detect_encoding
from cpro.imports.refusals import about_file

_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<|\xff\xfe<\0|\xfe\xff\0<|<\0|\0<")


@dataclass(frozen=True, slots=True)
class RecognisedFile:
    """A file ready for its reader: an export with its header and encoding, or one of our tables."""

    file: UnpackedFile
    header: Header | None = None
    encoding: Encoding | None = None
    worksheet_kind: WorksheetKind | None = None


def recognise(file: UnpackedFile) -> RecognisedFile:
    """Return the kind of a file, checking at once its prolog, root, header and end, or its titles.

    Raises a FileRefused naming the file.
    """
    with about_file(file.name):
        if file.shape is Shape.WORKBOOK or not _is_markup(file):
            return RecognisedFile(file, worksheet_kind=recognise_worksheet(file.path))
        with file.path.open("rb") as stream:
            encoding = detect_encoding(stream)  # reads the whole file, once for all later steps
            root = read_root(stream, encoding)
            recognise_root(root)
            check_end(stream, root, encoding)
            return RecognisedFile(file, header=read_header(stream, encoding), encoding=encoding)


def _is_markup(file: UnpackedFile) -> bool:
    with file.path.open("rb") as stream:
        return _MARKUP.match(stream.read(1024)) is not None
