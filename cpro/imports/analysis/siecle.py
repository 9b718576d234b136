"""The whole of a SIECLE deposit compared with the school: pupils, courses, divisions, people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from cpro.imports.analysis.comparison import Comparison
from cpro.imports.analysis.divisions import Found
from cpro.imports.analysis.proposals import Answers, Yielded, notes_of
from cpro.imports.analysis.sources import SIECLESources
from cpro.imports.analysis.staff import StaffAnalysis
from cpro.imports.analysis.students import StudentAnalysis
from cpro.imports.errors import about_file
from cpro.imports.refusals import EmptyImport
from cpro.imports.siecle.header import ExportKind
from cpro.imports.siecle.reader import read_students
from cpro.imports.siecle.structures import SIECLEDivision, read_nomenclature, read_structures
from cpro.imports.siecle.sts import read_sts
from cpro.imports.xml.encoding import Encoding


class SIECLEAnalysis(Comparison):
    """One analysis; `run` yields changes and findings, after which counts and confirmations are known."""

    def __init__(self, sources: SIECLESources, *, today: dt.date, answers: Answers | None = None) -> None:
        self._sources, self._answers = sources, answers
        super().__init__(StudentAnalysis(today=today, answers=answers), school_year=sources.school_year, today=today)
        self._divisions: dict[str, SIECLEDivision] = {}
        self._mef_labels: dict[str, str] = {}

    def run(self) -> Iterator[Yielded]:
        """Yield everything found. Raises FileRefused of some kind, and EmptyImport for a file of nobody."""
        yield from self._read_structures()
        staff = None
        if ExportKind.STAFF in self._sources.files:
            with self._open(ExportKind.STAFF) as (stream, encoding):
                staff = read_sts(stream, encoding)
            yield from notes_of(staff.findings, ExportKind.STAFF.label)
            if not staff.people:
                raise EmptyImport("Le fichier de STS-Web ne contient personne : rien n’a été importé.", field="files")
            for division in staff.divisions:
                self._divisions.setdefault(division.code, division)
        if ExportKind.STUDENTS in self._sources.files:
            with self._open(ExportKind.STUDENTS) as (stream, encoding):
                yield from self._students.run(read_students(stream, encoding, today=self._today))
            if not self._students.records:
                raise EmptyImport("Le fichier ne contient aucun élève : rien n’a été importé.", field="files")
        yield from self._compare_divisions(self._found())
        if staff is not None:
            analysis = StaffAnalysis(answers=self._answers)
            self._staff_tally = analysis.tally
            yield from analysis.run(staff.people)

    def _read_structures(self) -> Iterator[Yielded]:
        if ExportKind.STRUCTURES in self._sources.files:
            with self._open(ExportKind.STRUCTURES) as (stream, encoding):
                structures = read_structures(stream, encoding)
            yield from notes_of(structures.findings, ExportKind.STRUCTURES.label)
            self._divisions.update((division.code, division) for division in structures.divisions)
        if ExportKind.NOMENCLATURE in self._sources.files:
            with self._open(ExportKind.NOMENCLATURE) as (stream, encoding):
                nomenclature = read_nomenclature(stream, encoding)
            yield from notes_of(nomenclature.findings, ExportKind.NOMENCLATURE.label)
            self._mef_labels = {mef.code: mef.label for mef in nomenclature.mefs}

    def _found(self) -> Found:
        kind = ExportKind.STUDENTS if ExportKind.STUDENTS in self._sources.files else ExportKind.STRUCTURES
        return Found(
            self._divisions,
            self._mef_labels,
            self._students.mefs_of_division,
            self._students.lines_of_mef,
            kind.label,
        )

    @contextmanager
    def _open(self, kind: ExportKind) -> Iterator[tuple[IO[bytes], Encoding | None]]:
        recognised = self._sources.files[kind]
        with about_file(recognised.file.name), recognised.file.path.open("rb") as stream:
            yield stream, recognised.encoding
