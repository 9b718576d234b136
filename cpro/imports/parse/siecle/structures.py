"""Divisions, groups and MEFs: `Structures.xml` (`BEE_STRUCTURES`) and `Nomenclature.xml` (`BEE_NOMENCLATURES`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from cpro.core.formatting import format_count
from cpro.imports.errors import TooManyLines
from cpro.imports.parse.checks import check_label
from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.values import DIVISION_CODE_MAX_LENGTH, clean_division_code, clean_mef
from cpro.imports.parse.xml.document import Element, child_texts, get_line, iter_records
from cpro.imports.parse.xml.encoding import Encoding

#: Of divisions, groups or MEFs: far more than any school has.
MAX_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class SIECLEDivision:
    """A division; the label may be empty, and one division may prepare for several MEFs."""

    line: int
    code: str
    label: str
    mef_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SIECLEGroup:
    """A group of pupils drawn from divisions."""

    line: int
    code: str
    label: str
    division_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SIECLEMEF:
    """A line of the national list of courses, limited to the fields that the school uses."""

    line: int
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Structures:
    """The contents of `Structures.xml`; the first of two entries with the same code is used."""

    divisions: tuple[SIECLEDivision, ...]
    groups: tuple[SIECLEGroup, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Nomenclature:
    """The part of `Nomenclature.xml` that is used."""

    mefs: tuple[SIECLEMEF, ...]
    findings: tuple[Finding, ...]


def read_structures(stream: IO[bytes], encoding: Encoding | None = None) -> Structures:
    """Return the divisions and groups of a school. Pure; raises FileRefused subclasses."""
    divisions: dict[str, SIECLEDivision] = {}
    groups: dict[str, SIECLEGroup] = {}
    findings: list[Finding] = []
    for element in iter_records(stream, ("DIVISION", "GROUPE"), depth=3, encoding=encoding):
        line = get_line(element)
        code = check_structure_code(line, element.get("CODE_STRUCTURE", ""), findings)
        if not code:
            continue
        check_size(len(divisions) + len(groups))
        label = check_label(line, child_texts(element, "LIBELLE_LONG").get("LIBELLE_LONG", ""), findings)
        if element.tag == "DIVISION":
            divisions.setdefault(code, SIECLEDivision(line, code, label, _mef_codes(line, element, findings)))
        else:
            groups.setdefault(code, SIECLEGroup(line, code, label, _division_codes(element)))
    return Structures(tuple(divisions.values()), tuple(groups.values()), tuple(findings))


def read_nomenclature(stream: IO[bytes], encoding: Encoding | None = None) -> Nomenclature:
    """Return the MEFs of a school, with trimmed labels. Pure; raises FileRefused subclasses."""
    mefs: dict[str, SIECLEMEF] = {}
    findings: list[Finding] = []
    for element in iter_records(stream, ("MEF",), depth=3, encoding=encoding):
        line = get_line(element)
        code = clean_mef(element.get("CODE_MEF", "").strip())
        if code is None:
            findings.append(_malformed_mef(line))
            continue
        check_size(len(mefs))
        texts = child_texts(element, "LIBELLE_LONG", "LIBELLE_EDITION")
        label = check_label(line, texts.get("LIBELLE_LONG") or texts.get("LIBELLE_EDITION", ""), findings)
        mefs.setdefault(code, SIECLEMEF(line, code, label))
    return Nomenclature(tuple(mefs.values()), tuple(findings))


def check_structure_code(line: int, text: str, findings: list[Finding]) -> str:
    """Return the code of a division or group, "" with DIVISION_MALFORMED."""
    code = clean_division_code(text)
    if code is None:
        sentence = f"Le code est absent, illisible ou dépasse {DIVISION_CODE_MAX_LENGTH} caractères : corrigez-le."
        findings.append(Finding(FindingCode.DIVISION_MALFORMED, line, sentence))
    return code or ""


def check_mef_codes(line: int, texts: list[str], findings: list[Finding]) -> tuple[str, ...]:
    """Return the well-formed MEF codes without duplicates; find MEF_MALFORMED for the others."""
    codes: dict[str, None] = {}
    for text in texts:
        code = clean_mef(text.strip())
        if code is None:
            findings.append(_malformed_mef(line))
        else:
            codes[code] = None
    return tuple(codes)


def check_size(count: int) -> None:
    """Raise TooManyLines if the limit is reached."""
    if count >= MAX_ENTRIES:
        raise TooManyLines(f"Ce fichier compte plus de {format_count(MAX_ENTRIES)} entrées : vérifiez l’export.")


def _mef_codes(line: int, element: Element, findings: list[Finding]) -> tuple[str, ...]:
    return check_mef_codes(line, _texts(element, "MEFS_APPARTENANCE/MEF_APPARTENANCE/CODE_MEF"), findings)


def _division_codes(element: Element) -> tuple[str, ...]:
    texts = _texts(element, "DIVISIONS_APPARTENANCE/DIVISION_APPARTENANCE/CODE_STRUCTURE")
    return tuple(dict.fromkeys(code for text in texts if (code := clean_division_code(text))))


def _texts(element: Element, path: str) -> list[str]:
    return [child.text for child in element.iterfind(path) if child.text and child.text.strip()]


def _malformed_mef(line: int) -> Finding:
    sentence = "Un code MEF ne compte pas onze chiffres ou lettres : il est laissé de côté."
    return Finding(FindingCode.MEF_MALFORMED, line, sentence)
