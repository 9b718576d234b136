"""Pupils of `ElevesSansAdresses.xml` and `ElevesAvecAdresses.xml` (`BEE_ELEVES`).

A pupil's division is at the other end of the file, and so may be a second pupil with the same INE. So the file is
parsed once, each pupil's few values are set aside (`RecordBuffer`), and checked when the rest is known: only the
numbers used for joining and those that must be unique are kept in memory.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterator
from sys import intern
from typing import IO, Any

from cpro.core.formatting import format_count
from cpro.imports.errors import TooManyLines
from cpro.imports.parse.checks import (
    check_birth_date,
    check_division,
    check_id,
    check_ine,
    check_leaving_date,
    check_mef,
    check_names,
)
from cpro.imports.parse.findings import Finding
from cpro.imports.parse.records import RecordBuffer, StudentRecord
from cpro.imports.parse.values import clean_id, effective_ine, parse_date
from cpro.imports.parse.xml.document import Element, child_texts, get_line, iter_records
from cpro.imports.parse.xml.encoding import Encoding

#: Far more than any school has; bounds the memory used to find duplicates.
MAX_STUDENTS = 200_000

_RECORDS = ("ELEVE", "STRUCTURES_ELEVE", "SCOLARITE_ELEVE")
_WANTED = (
    "ID_NATIONAL",
    "INE_RNIE",
    "INE_BEA",
    "NOM_DE_FAMILLE",
    "NOM",
    "NOM_USAGE",
    "PRENOM",
    "DATE_NAISS",
    "DATE_SORTIE",
    "CODE_MEF",
)
_NO_SCHOOLING = ("", "")
_DIVISION = "D"  # TYPE_STRUCTURE; G is a group, other types are not used


def read_students(stream: IO[bytes], encoding: Encoding | None = None, *, today: dt.date) -> Iterator[StudentRecord]:
    """Yield the pupils of a SIECLE export, in file order, each with its findings. Pure: no database, no Flask.

    Nothing is yielded before the whole file has been read, so that a damaged file yields nothing at all. Raises
    TooManyLines, and as `iter_records`.
    """
    with RecordBuffer() as buffer:
        joins = _Joins()
        for element in iter_records(stream, _RECORDS, depth=3, encoding=encoding):
            if element.tag == "ELEVE":
                buffer.append(joins.note_student(element))
            elif element.tag == "STRUCTURES_ELEVE":
                joins.note_structures(element)
            else:
                joins.note_schooling(element)
        codes = joins.conclude()
        for values in buffer.replay():
            yield _judge(values, joins, codes, today)


class _Joins:
    """Data of the whole file needed to complete a pupil: lines, divisions, repeated numbers.

    Each ELEVE_ID found, in any block, gets an index into compact arrays: a hundred thousand pupils take about 20 MB.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        #: by index: the line of the pupil, 0 until found; the number of their division in `_codes`
        self._lines = array("L")
        self._divisions = array("L")
        self._codes: dict[str, int] = {"": 0}
        self._ine_places: dict[str, int] = {}
        self.repeated_ids: dict[str, list[int]] = {}
        self.repeated_ines: dict[str, list[int]] = {}
        self.further_divisions: dict[str, list[str]] = {}
        #: the newer SCOLARITES block: (MEF, division), used if the older ones have nothing
        self.schoolings: dict[str, tuple[str, str]] = {}

    def note_student(self, element: Element) -> tuple[Any, ...]:
        """Record the pupil's numbers, and return the values to set aside."""
        line, siecle_id = get_line(element), element.get("ELEVE_ID", "").strip()
        get = {child.tag: child.text for child in element.iterchildren(*_WANTED)}.get
        ine, problem = effective_ine((get("ID_NATIONAL"), get("INE_RNIE"), get("INE_BEA")))
        # Pupils without a number are not duplicates of one another; no number contains a tab.
        place = self._place(siecle_id or f"\t{len(self._places)}")
        if self._lines[place]:
            self.repeated_ids.setdefault(siecle_id, [self._lines[place]]).append(line)
        else:
            self._lines[place] = line
        if ine in self._ine_places:
            self.repeated_ines.setdefault(ine, [self._lines[self._ine_places[ine]]]).append(line)
        elif ine:
            self._ine_places[ine] = place
        return (
            line,
            siecle_id,
            ine,
            problem,
            get("NOM_DE_FAMILLE") or get("NOM") or "",
            get("NOM_USAGE") or "",
            get("PRENOM") or "",
            get("DATE_NAISS") or "",
            get("DATE_SORTIE") or "",
            get("CODE_MEF") or "",
        )

    def note_structures(self, element: Element) -> None:
        """Record the first division of a pupil, and any further one."""
        siecle_id = element.get("ELEVE_ID", "").strip()
        for structure in element:
            if structure.tag != "STRUCTURE":
                continue
            texts = {child.tag: child.text for child in structure}
            code = (texts.get("CODE_STRUCTURE") or "").strip()
            if not code or (texts.get("TYPE_STRUCTURE") or "").strip() != _DIVISION:
                continue
            number = self._codes.setdefault(code, len(self._codes))
            place = self._place(siecle_id)
            if not self._divisions[place]:
                self._divisions[place] = number
            elif self._divisions[place] != number:
                self.further_divisions.setdefault(siecle_id, []).append(code)

    def note_schooling(self, element: Element) -> None:
        """Record the first schooling of the newer block."""
        schooling = element.find("SCOLARITE")
        if schooling is not None and len(self.schoolings) < MAX_STUDENTS:
            texts = child_texts(schooling, "CODE_MEF", "CODE_STRUCTURE")
            pair = intern(texts.get("CODE_MEF", "")), intern(texts.get("CODE_STRUCTURE", ""))
            self.schoolings.setdefault(element.get("ELEVE_ID", "").strip(), pair)

    def conclude(self) -> list[str]:
        """Return the codes of divisions by their numbers, and free the data only needed to find repetitions."""
        self._ine_places.clear()
        del self._lines[:]
        return list(self._codes)

    def find_division(self, siecle_id: str, codes: list[str]) -> str:
        """Return the code of a pupil's first division, "" if there is none."""
        place = self._places.get(siecle_id)
        return codes[self._divisions[place]] if place is not None else ""

    def _place(self, siecle_id: str) -> int:
        place = self._places.get(siecle_id)
        if place is None:
            place = self._places[siecle_id] = len(self._places)
            if place >= MAX_STUDENTS:
                raise TooManyLines(
                    f"Ce fichier compte plus de {format_count(MAX_STUDENTS)} élèves : vérifiez l’export."
                )
            self._lines.append(0)
            self._divisions.append(0)
        return place


def _judge(values: tuple[Any, ...], joins: _Joins, codes: list[str], today: dt.date) -> StudentRecord:
    line, siecle_id, ine, problem, last_name, usage_name, first_name, birth, leaving, mef = values
    findings: list[Finding] = []
    clean = clean_id(siecle_id)
    check_id(line, clean, joins.repeated_ids.get(siecle_id, ()), "ELEVE_ID", findings)
    check_ine(line, ine, problem, joins.repeated_ines.get(ine, ()), findings)
    last_name, usage_name, first_name = check_names(line, last_name, usage_name, first_name, findings)
    birth_date = check_birth_date(line, birth.strip(), parse_date, today, findings)
    departed_on, has_departed = check_leaving_date(line, leaving.strip(), parse_date, today, findings)
    schooling_mef, schooling_division = joins.schoolings.get(siecle_id, _NO_SCHOOLING)
    division = joins.find_division(siecle_id, codes) or schooling_division
    return StudentRecord(
        line,
        clean or "",
        ine or None,
        last_name,
        usage_name,
        first_name,
        birth_date,
        check_mef(line, mef.strip() or schooling_mef, findings),
        check_division(line, division, joins.further_divisions.get(siecle_id, ()), has_departed, findings),
        departed_on,
        has_departed,
        tuple(findings),
    )
