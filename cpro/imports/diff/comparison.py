"""Compare a whole deposit, exports or tables, with the school: pupils, courses, divisions, people.

The rules are the same for both, except one: people missing from a table are proposed for deactivation, unticked.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO, Any

from cpro.imports.diff.confirmations import list_confirmations
from cpro.imports.diff.division_codes import DivisionCodes
from cpro.imports.diff.divisions import Found, compare_divisions
from cpro.imports.diff.matching import FROM_TABLE
from cpro.imports.diff.proposals import COUNT_OF, Answers, Note, Proposal, Question, Tally, Yielded, list_notes
from cpro.imports.diff.repetition import Repetition, Watch, digest_of, find_repetition
from cpro.imports.diff.sources import SIECLESources, Sources, TableSources
from cpro.imports.diff.staff import StaffAnalysis
from cpro.imports.diff.students import StudentAnalysis
from cpro.imports.errors import EmptyImport
from cpro.imports.models import ImportQuestion
from cpro.imports.parse.findings import FindingCode
from cpro.imports.parse.siecle.header import ExportKind
from cpro.imports.parse.siecle.reader import read_students
from cpro.imports.parse.siecle.structures import SIECLEDivision, read_nomenclature, read_structures
from cpro.imports.parse.siecle.sts import read_sts
from cpro.imports.parse.spreadsheet.columns import WorksheetKind
from cpro.imports.parse.spreadsheet.notes import ColumnQuestion, WorksheetNotes
from cpro.imports.parse.spreadsheet.reader import read_staff_worksheet, read_student_worksheet
from cpro.imports.parse.xml.encoding import Encoding
from cpro.imports.refusals import about_file


class Comparison:
    """Files compared with the school: `run`, which each kind of files implements, fills the figures below."""

    def __init__(self, students: StudentAnalysis, *, school_year: int, today: dt.date) -> None:
        self._students, self._school_year, self._today = students, school_year, today
        self._staff_tally = Tally()
        #: {"divisions_created": 3, …} of divisions and courses
        self._structure: Counter[str] = Counter()
        #: what the same file of pupils will find once this is applied (`diff.repetition`), None if it must be read
        self.settled: dict[str, Any] | None = None

    def watch(self, on_pupils: Callable[[int], object]) -> None:
        """Set the function called with the number of pupils compared so far, as the analysis runs."""
        self._students.on_records = on_pupils

    @property
    def counts(self) -> dict[str, Any]:
        """Return the figures, under the names of the contract."""
        return {
            "students": self._students.tally.counts,
            "staff": self._staff_tally.counts,
            "ignored": {"students": self._students.tally.ignored, "staff": self._staff_tally.ignored},
            "unticked": {"students": self._students.tally.unticked, "staff": self._staff_tally.unticked},
            "to_confirm": {"students": self._students.tally.to_confirm, "staff": self._staff_tally.to_confirm},
            "active_before": {"students": self._students.tally.active_before},
            "divisions": self._structure["divisions_created"] + self._structure["divisions_changed"],
            "structure": dict(self._structure),
        }

    @property
    def confirmations_needed(self) -> list[dict[str, str]]:
        """Return what must be confirmed, each with a sentence stating the figures."""
        return list_confirmations(self.counts, school_year=self._school_year, today=self._today)

    def _compare_divisions(self, found: Found) -> Iterator[Yielded]:
        for each in compare_divisions(found):
            if isinstance(each, Proposal):
                self._structure[f"{each.object_type}s_{COUNT_OF[each.action]}"] += 1
            yield each


def _list_left(sources: Sources) -> Iterator[Note]:
    """Yield a note for each file of the deposit that is not used."""
    for left in sources.left:
        yield Note(FindingCode.FILE_LEFT, "", 0, left.sentence, left.name)


def _ask_column(asked: ColumnQuestion) -> Question:
    """Return the question about a column, as the import stores it."""
    sentence = f"Est-ce « {asked.suggested} » ?" if asked.suggested else "Que contient-elle ?"
    return Question(
        asked.key,
        ImportQuestion.COLUMN,
        asked.line,
        f"Colonne « {asked.title} »",
        sentence,
        asked.candidates,
        can_create=False,
        answer=asked.answer,
    )


class SIECLEAnalysis(Comparison):
    """Exports of SIECLE and STS-Web: `run` yields all findings, then counts and confirmations are known."""

    def __init__(self, sources: SIECLESources, *, today: dt.date, answers: Answers | None = None) -> None:
        self._sources, self._answers = sources, answers
        super().__init__(StudentAnalysis(today=today, answers=answers), school_year=sources.school_year, today=today)
        self._divisions: dict[str, SIECLEDivision] = {}
        self._mef_labels: dict[str, str] = {}

    def run(self) -> Iterator[Yielded]:
        """Yield all findings. Raises a FileRefused, or EmptyImport for a file without people."""
        yield from _list_left(self._sources)
        yield from self._read_structures()
        staff = None
        if ExportKind.STAFF in self._sources.files:
            with self._open(ExportKind.STAFF) as (stream, encoding):
                staff = read_sts(stream, encoding)
            yield from list_notes(staff.findings, ExportKind.STAFF.label)
            if not staff.people:
                raise EmptyImport("Le fichier de STS-Web ne contient personne : rien n’a été importé.", field="files")
            for division in staff.divisions:
                self._divisions.setdefault(division.code, division)
        if ExportKind.STUDENTS in self._sources.files:
            yield from self._compare_students()
            if not self._students.records:
                raise EmptyImport("Le fichier ne contient aucun élève : rien n’a été importé.", field="files")
        yield from self._compare_divisions(self._found())
        if staff is not None:
            analysis = StaffAnalysis(answers=self._answers)
            self._staff_tally = analysis.tally
            yield from analysis.run(staff.people)

    def _compare_students(self) -> Iterator[Yielded]:
        """Yield the changes of the file of pupils; a file already applied is not read if nothing changed since."""
        students = self._students
        digest = digest_of(self._sources.files[ExportKind.STUDENTS].file.path)
        found = find_repetition(digest, self._today)
        if found is not None:
            _repeat(students, found.repetition)
            self.settled = found.repetition.keep(digest)
            yield from found.list_notes()
            return
        watch = Watch()
        with self._open(ExportKind.STUDENTS) as (stream, encoding):
            yield from map(watch.look, students.run(read_students(stream, encoding, today=self._today)))
        repetition = watch.conclude(
            students.tally,
            records=students.records,
            mefs_of_division=students.mefs_of_division,
            sizes_of_divisions=students.sizes_of_divisions,
            lines_of_mef=students.lines_of_mef,
        )
        self.settled = repetition.keep(digest) if repetition else None

    def _read_structures(self) -> Iterator[Yielded]:
        if ExportKind.STRUCTURES in self._sources.files:
            with self._open(ExportKind.STRUCTURES) as (stream, encoding):
                structures = read_structures(stream, encoding)
            yield from list_notes(structures.findings, ExportKind.STRUCTURES.label)
            self._divisions.update((division.code, division) for division in structures.divisions)
        if ExportKind.NOMENCLATURE in self._sources.files:
            with self._open(ExportKind.NOMENCLATURE) as (stream, encoding):
                nomenclature = read_nomenclature(stream, encoding)
            yield from list_notes(nomenclature.findings, ExportKind.NOMENCLATURE.label)
            self._mef_labels = {mef.code: mef.label for mef in nomenclature.mefs}

    def _found(self) -> Found:
        # What is found about them is said of the pupils' file, else of the first that described them.
        kinds = (ExportKind.STUDENTS, ExportKind.STRUCTURES, ExportKind.STAFF, ExportKind.NOMENCLATURE)
        kind = next(kind for kind in kinds if kind in self._sources.files)
        return Found(
            self._divisions,
            self._mef_labels,
            self._students.mefs_of_division,
            self._students.sizes_of_divisions,
            self._students.lines_of_mef,
            kind.label,
        )

    @contextmanager
    def _open(self, kind: ExportKind) -> Iterator[tuple[IO[bytes], Encoding | None]]:
        recognised = self._sources.files[kind]
        with about_file(recognised.file.name), recognised.file.path.open("rb") as stream:
            yield stream, recognised.encoding


def _repeat(students: StudentAnalysis, known: Repetition) -> None:
    """Give an analysis of pupils the figures of a file that is not read because it changes nothing."""
    students.records = known.records
    students.tally.active_before, students.tally.ignored = known.present, known.ignored
    students.tally.counts |= {"unchanged": known.records - known.ignored, "without_ine": known.without_ine}
    students.mefs_of_division |= {code: set(mefs) for code, mefs in known.mefs_of_division.items()}
    students.sizes_of_divisions.update(known.sizes_of_divisions)
    students.lines_of_mef |= known.lines_of_mef
    students.on_records(known.records)


class TableAnalysis(Comparison):
    """Tables of a school without SIECLE: `run` yields all findings, then counts and confirmations are known."""

    def __init__(self, sources: TableSources, *, today: dt.date, answers: Answers | None = None) -> None:
        self._sources, self._answers = sources, answers
        super().__init__(
            StudentAnalysis(today=today, source=FROM_TABLE, answers=answers),
            school_year=sources.school_year,
            today=today,
        )

    def run(self) -> Iterator[Yielded]:
        """Yield all findings. Raises a FileRefused, or EmptyImport for a table without people."""
        yield from _list_left(self._sources)
        codes = DivisionCodes()
        pupils, people = self._sources.files.get(WorksheetKind.STUDENTS), self._sources.files.get(WorksheetKind.STAFF)
        if pupils is not None:
            notes = WorksheetNotes(self._answers or {})
            with about_file(pupils.file.name):
                lines = read_student_worksheet(pupils.file.path, today=self._today, notes=notes)
                first = list(islice(lines, 1))  # everything is read by then: notes on the table precede its lines
                yield from list_notes(notes.findings, WorksheetKind.STUDENTS.value)
                yield from map(_ask_column, notes.questions)
                yield from self._students.run(map(codes.read_student, chain(first, lines)))
            if not self._students.records:
                raise EmptyImport("Le tableau ne contient aucun élève : rien n’a été importé.", field="files")
            yield from self._compare_divisions(self._found(codes))
        if people is not None:
            notes = WorksheetNotes(self._answers or {})
            with about_file(people.file.name):
                records = [codes.read_staff(each) for each in read_staff_worksheet(people.file.path, notes=notes)]
            yield from list_notes(notes.findings, WorksheetKind.STAFF.value)
            yield from map(_ask_column, notes.questions)
            if not records:
                raise EmptyImport("Le tableau ne contient personne : rien n’a été importé.", field="files")
            analysis = StaffAnalysis(
                answers=self._answers, is_table=True, division_codes=self._students.mefs_of_division
            )
            self._staff_tally = analysis.tally
            yield from analysis.run(records)

    def _found(self, codes: DivisionCodes) -> Found:
        students = self._students
        return Found(
            {code: each for code, each in codes.described.items() if code in students.mefs_of_division},
            {},
            students.mefs_of_division,
            students.sizes_of_divisions,
            students.lines_of_mef,
            WorksheetKind.STUDENTS.value,
        )
