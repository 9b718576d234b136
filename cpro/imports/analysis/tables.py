"""The tables of a school without SIECLE compared with what it holds: pupils, their divisions, people.

Same rules as the ministry's files, but for one: whom a table does not name is proposed for deactivation, unticked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from cpro.imports.analysis.confirmations import list_confirmations
from cpro.imports.analysis.divisions import Found, compare_divisions
from cpro.imports.analysis.matching import FROM_TABLE
from cpro.imports.analysis.proposals import Answers, Tally, Yielded
from cpro.imports.analysis.sources import TableSources
from cpro.imports.analysis.staff import StaffAnalysis
from cpro.imports.analysis.students import StudentAnalysis
from cpro.imports.errors import about_file
from cpro.imports.refusals import EmptyImport
from cpro.imports.spreadsheet.columns import SheetKind
from cpro.imports.spreadsheet.reader import read_staff_sheet, read_student_sheet


class TableAnalysis:
    """One analysis; `run` yields changes, findings and questions, after which counts and confirmations are known."""

    def __init__(self, sources: TableSources, *, today: dt.date, answers: Answers | None = None) -> None:
        self._sources, self._today, self._answers = sources, today, answers
        self._students = StudentAnalysis(today=today, source=FROM_TABLE, answers=answers)
        self._staff_tally = Tally()
        self._division_changes = 0

    def run(self) -> Iterator[Yielded]:
        """Yield everything found. Raises FileRefused of some kind, and EmptyImport for a table of nobody."""
        paths, names = self._sources.paths, self._sources.names
        if SheetKind.STUDENTS in paths:
            with about_file(names[SheetKind.STUDENTS]):
                yield from self._students.run(read_student_sheet(paths[SheetKind.STUDENTS], today=self._today))
            if not self._students.rows:
                raise EmptyImport("Le tableau ne contient aucun élève : rien n’a été importé.", field="files")
            yield from self._compare_divisions()
        if SheetKind.STAFF in paths:
            with about_file(names[SheetKind.STAFF]):
                people = list(read_staff_sheet(paths[SheetKind.STAFF]))
            if not people:
                raise EmptyImport("Le tableau ne contient personne : rien n’a été importé.", field="files")
            analysis = StaffAnalysis(
                answers=self._answers, is_table=True, division_codes=self._students.mefs_of_division
            )
            self._staff_tally = analysis.tally
            yield from analysis.run(people)

    @property
    def counts(self) -> dict[str, Any]:
        """Return the figures, under the names that an import of SIECLE gives them."""
        return {
            "students": self._students.tally.counts,
            "staff": self._staff_tally.counts,
            "ignored": {"students": self._students.tally.ignored, "staff": self._staff_tally.ignored},
            "unticked": {"students": self._students.tally.unticked, "staff": self._staff_tally.unticked},
            "active_before": {"students": self._students.tally.active_before},
            "divisions": self._division_changes,
        }

    @property
    def confirmations_needed(self) -> list[dict[str, str]]:
        """Return what must be confirmed, each in a sentence that names the figures."""
        return list_confirmations(self.counts, school_year=self._sources.school_year, today=self._today)

    def _compare_divisions(self) -> Iterator[Yielded]:
        found = Found({}, {}, self._students.mefs_of_division, self._students.lines_of_mef, SheetKind.STUDENTS.value)
        for each in compare_divisions(found):
            self._division_changes += getattr(each, "object_type", "") == "division"
            yield each
