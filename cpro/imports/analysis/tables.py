"""The tables of a school without SIECLE compared with what it holds: pupils, their divisions, people.

Same rules as the ministry's files, but for one: whom a table does not name is proposed for deactivation, unticked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from cpro.imports.analysis.comparison import Comparison
from cpro.imports.analysis.divisions import Found
from cpro.imports.analysis.matching import FROM_TABLE
from cpro.imports.analysis.proposals import Answers, Yielded
from cpro.imports.analysis.sources import TableSources
from cpro.imports.analysis.staff import StaffAnalysis
from cpro.imports.analysis.students import StudentAnalysis
from cpro.imports.errors import about_file
from cpro.imports.refusals import EmptyImport
from cpro.imports.spreadsheet.columns import WorksheetKind
from cpro.imports.spreadsheet.reader import read_staff_worksheet, read_student_worksheet


class TableAnalysis(Comparison):
    """One analysis; `run` yields changes, findings and questions, after which counts and confirmations are known."""

    def __init__(self, sources: TableSources, *, today: dt.date, answers: Answers | None = None) -> None:
        self._sources, self._answers = sources, answers
        super().__init__(
            StudentAnalysis(today=today, source=FROM_TABLE, answers=answers),
            school_year=sources.school_year,
            today=today,
        )

    def run(self) -> Iterator[Yielded]:
        """Yield everything found. Raises FileRefused of some kind, and EmptyImport for a table of nobody."""
        pupils, people = self._sources.files.get(WorksheetKind.STUDENTS), self._sources.files.get(WorksheetKind.STAFF)
        if pupils is not None:
            with about_file(pupils.file.name):
                yield from self._students.run(read_student_worksheet(pupils.file.path, today=self._today))
            if not self._students.records:
                raise EmptyImport("Le tableau ne contient aucun élève : rien n’a été importé.", field="files")
            yield from self._compare_divisions(self._found())
        if people is not None:
            with about_file(people.file.name):
                records = list(read_staff_worksheet(people.file.path))
            if not records:
                raise EmptyImport("Le tableau ne contient personne : rien n’a été importé.", field="files")
            analysis = StaffAnalysis(
                answers=self._answers, is_table=True, division_codes=self._students.mefs_of_division
            )
            self._staff_tally = analysis.tally
            yield from analysis.run(records)

    def _found(self) -> Found:
        return Found({}, {}, self._students.mefs_of_division, self._students.lines_of_mef, WorksheetKind.STUDENTS.value)
