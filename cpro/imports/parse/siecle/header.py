"""The header of an export: its kind, school and year."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import IO

from cpro.core.parsing import read_integer
from cpro.core.validators import InvalidUAI, normalise_uai
from cpro.imports.errors import (
    MissingHeader,
    OtherFormat,
    ResponsiblesRefused,
    UnknownFile,
    UnusedExport,
    WrongDirection,
)
from cpro.imports.parse.values import parse_date
from cpro.imports.parse.xml.document import Element, child_texts, iter_records, read_root
from cpro.imports.parse.xml.encoding import Encoding, detect_encoding


class ExportKind(enum.Enum):
    """Supported exports, by the name of their root; each has a French label."""

    STUDENTS = "BEE_ELEVES"
    STRUCTURES = "BEE_STRUCTURES"
    NOMENCLATURE = "BEE_NOMENCLATURES"
    STAFF = "STS_EDT"

    @property
    def label(self) -> str:
        """Return the label of the export."""
        return _LABELS[self]


_LABELS = {
    ExportKind.STUDENTS: "Élèves (SIECLE)",
    ExportKind.STRUCTURES: "Structures (SIECLE)",
    ExportKind.NOMENCLATURE: "Nomenclatures (SIECLE)",
    ExportKind.STAFF: "Personnels et services (STS-Web)",
}
#: Workbooks in XML format.
_WORKBOOKS = {
    "Workbook": "un classeur au format « XML 2003 »",
    "ss:Workbook": "un classeur au format « XML 2003 »",
    "office:document": "un classeur OpenDocument d’un seul fichier (.fods)",
}


@dataclass(frozen=True, slots=True)
class Header:
    """The school and year of an export; `school_year` is the calendar year in which it starts."""

    kind: ExportKind
    uai: str
    school_year: int
    #: missing in some real exports, and in all those of STS-Web
    exported_on: dt.date | None


def recognise_root(root: str) -> ExportKind:
    """Return the kind of export with that root; raises an error explaining why another one is not supported."""
    for kind in ExportKind:
        if root == kind.value:
            return kind
    if root in ("BEE_RESPONSABLES", "BEE_EPHC_RESPONSABLES"):
        raise ResponsiblesRefused
    if root == "EDT_STS":
        raise WrongDirection
    if root.startswith("BEE_"):
        raise UnusedExport
    if root in _WORKBOOKS:
        raise OtherFormat(_WORKBOOKS[root])
    raise UnknownFile


def read_header(stream: IO[bytes], encoding: Encoding | None = None) -> Header:
    """Return the header of an export.

    Raises MissingHeader when it lacks a valid UAI or year, WrongDirection for a file produced by timetable software
    with the root of STS-Web, and as `read_root` and `recognise_root`.
    """
    encoding = encoding or detect_encoding(stream)
    kind = recognise_root(read_root(stream, encoding))
    for element in iter_records(stream, ("PARAMETRES",), depth=1, encoding=encoding):
        if element.getparent().getparent() is None:
            return _staff_header(element) if kind is ExportKind.STAFF else _siecle_header(kind, element)
    raise MissingHeader


def _siecle_header(kind: ExportKind, element: Element) -> Header:
    texts = child_texts(element, "UAJ", "ANNEE_SCOLAIRE", "DATE_EXPORT")
    try:
        exported_on = parse_date(texts.get("DATE_EXPORT", ""))
    except ValueError:
        exported_on = None
    return Header(kind, _uai(texts.get("UAJ", "")), _year(texts.get("ANNEE_SCOLAIRE", "")), exported_on)


def _staff_header(element: Element) -> Header:
    if element.find("APPLICATION_SOURCE") is not None:
        raise WrongDirection
    school, year = element.find("UAJ"), element.find("ANNEE_SCOLAIRE")
    if school is None or year is None:
        raise MissingHeader
    return Header(ExportKind.STAFF, _uai(school.get("CODE", "")), _year(year.get("ANNEE", "")), None)


def _uai(text: str) -> str:
    try:
        uai = normalise_uai(text)
    except InvalidUAI:
        uai = ""
    if not uai:
        raise MissingHeader
    return uai


def _year(text: str) -> int:
    year = read_integer(text.strip(), smallest=2000, largest=2099)
    if year is None:
        raise MissingHeader
    return year
