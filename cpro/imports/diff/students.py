"""Compare the pupils of a file with those of the school: by INE, then by their number, never by name alone."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import func, select

from cpro.core.among import is_among
from cpro.core.formatting import person_name
from cpro.extensions import db
from cpro.imports.changes import Changes, Pair, creating
from cpro.imports.diff import matching
from cpro.imports.diff.created_lines import SAME_LINE, CreatedLines
from cpro.imports.diff.matching import FROM_SIECLE, FROM_TABLE, Known, PupilSource
from cpro.imports.diff.proposals import (
    Answers,
    MatchCode,
    Note,
    Proposal,
    Question,
    Tally,
    Yielded,
    find_answer,
    list_notes,
)
from cpro.imports.models import ChangeAction
from cpro.imports.parse.findings import FindingCode
from cpro.imports.parse.records import StudentRecord
from cpro.students.models import Division, Student

_CHUNK = 2000
#: Found by readers, and reported only for pupils who will be present.
_OF_PRESENT = (FindingCode.WITHOUT_CLASS, FindingCode.INE_MISSING)


class StudentAnalysis:
    """One reading of a file of pupils; `run` yields, then `tally`, `mefs_of_division` and `lines_of_mef` are known."""

    def __init__(self, *, today: dt.date, source: PupilSource = FROM_SIECLE, answers: Answers | None = None) -> None:
        self.tally = Tally()
        #: MEF codes of the pupils of each division of the file
        self.mefs_of_division: dict[str, set[str]] = defaultdict(set)
        self.sizes_of_divisions: Counter[str] = Counter()
        #: where each MEF is first met
        self.lines_of_mef: dict[str, int] = {}
        #: pupils in the file, refused or not
        self.records = 0
        #: called with `records` as it grows
        self.on_records: Callable[[int], object] = lambda records: None
        self._today, self._source, self._answers = today, source, answers or {}
        #: A pupil named by the ministry needs no other proof; a table is no evidence against it.
        self._came_by = source.origin if source is FROM_SIECLE else None
        self._fields = (
            "last_name",
            "usage_name",
            "first_name",
            "birth_date",
            "ine",
            source.number,
            "division",
            "mef_code",
            "came_by",
        )
        self._seen: set[int] = set()
        self._active_seen = 0
        self._created = CreatedLines()
        self._namesakes: list[tuple[StudentRecord, list[Known]]] = []
        self._named_by_refused: list[tuple[StudentRecord, list[Known]]] = []
        self._with_usage_name: dict[str, list[Known]] | None = None
        self._asked: set[str] = set()
        self._codes: dict[int | None, str] = {None: ""}
        self._is_empty = True

    def run(self, records: Iterable[StudentRecord]) -> Iterator[Yielded]:
        """Yield the changes of each record, then those of the pupils missing from the file."""
        self._codes |= {id_: code for id_, code in db.session.execute(select(Division.id, Division.code))}
        self._is_empty = db.session.scalar(select(Student.id).limit(1)) is None
        counted = select(func.count(Student.id)).where(Student.is_active)
        self.tally.active_before = db.session.scalar(counted) or 0
        remaining = iter(records)
        while chunk := list(islice(remaining, _CHUNK)):
            self.records += len(chunk)
            self.on_records(self.records)
            yield from self._run_chunk(chunk)
        yield from self._resolve_namesakes()
        if self.records and self._active_seen < self.tally.active_before:
            yield from self._absent()

    def _run_chunk(self, records: list[StudentRecord]) -> Iterator[Yielded]:
        by_id: dict[str | None, Known] = {}
        by_ine: dict[str | None, list[Known]] = {}
        if not self._is_empty:
            by_id, by_ine = matching.look_up(records, self._source)
        unknown: list[StudentRecord] = []
        refused: list[StudentRecord] = []
        for record in records:
            own = by_id.get(record.siecle_id)
            if own and self._is_repeated(record, own):
                continue
            if record.findings:
                yield from self._notes(record)
            others = by_ine.get(record.ine, ()) if record.ine else ()
            if record.is_refused or record.is_ignored:
                refused += self._count_out(record, matching.list_distinct(own, *others))
                continue
            known, objection = matching.choose(record, own, others)
            if objection:
                yield from self._ask(record, objection, matching.list_distinct(own, *others), can_create=False)
            elif known is not None and known.id in self._seen:
                yield self._refuse(record, matching.TWICE)
            elif known is not None:
                self._see(known)
                yield from self._compare(record, known)
            elif self._is_out(record) and self._source is FROM_SIECLE:
                yield self._leave_out(record)  # the ministry's number would have matched if they had been here
            else:
                unknown.append(record)
        yield from self._judge_unknown(unknown, refused)

    def _count_out(self, record: StudentRecord, met: list[Known]) -> list[StudentRecord]:
        """Count a record that is not to be written, and return it if only its name says whom it is about."""
        if record.is_ignored:
            self.tally.ignored += 1
            return []
        self._see(*met)
        self.tally.add("refused")
        return [] if met else [record]

    def _is_repeated(self, record: StudentRecord, known: Known) -> bool:
        """Return whether a record only repeats the stored pupil, and count it if so."""
        division = self._codes[known.division_id]
        if known.id in self._seen or not matching.repeats(record, known, division, self._came_by):
            return False
        self._see(known)
        self._note_presence(record, record.ine)
        self.tally.add("unchanged")
        return True

    def _see(self, *met: Known) -> None:
        """Mark pupils as present in the file: the other active pupils of the school have left it."""
        for known in met:
            if known.id not in self._seen:
                self._seen.add(known.id)
                self._active_seen += known.is_active

    def _ask(
        self, record: StudentRecord, sentence: str, candidates: Sequence[Known], *, can_create: bool
    ) -> Iterator[Yielded]:
        """Yield the question whom a record is about, and the effect of the answer once given."""
        key = self._make_key(record, "student" if candidates else "line")
        by_id = {known.id: known for known in candidates}
        answer = find_answer(self._answers, key, by_id.keys())
        yield Question(
            key,
            "student",
            record.line,
            matching.describe_record(record),
            sentence,
            tuple((known.id, matching.describe_known(known, self._codes[known.division_id])) for known in candidates),
            can_create,
            answer,
        )
        if answer and answer not in self._seen:
            self._see(by_id[answer])
            yield from self._compare(
                matching.without_numbers_of_others(record, by_id[answer], candidates, self._source), by_id[answer]
            )
        elif answer == 0 and can_create:
            yield from self._create(record)
        else:
            self._see(*candidates)
            why = sentence if answer is None else matching.LEFT_OUT if answer == 0 else matching.TWICE
            yield self._refuse(record, why, is_open=answer is None)

    def _make_key(self, record: StudentRecord, family: str) -> str:
        """Return the key of the question about a record; a line that appears twice in a file asks twice."""
        said = (record.siecle_id, record.ine, *record[3:7])
        key = matching.make_question_key(family, *said)
        if key in self._asked:
            key = matching.make_question_key(family, *said, record.line)
        self._asked.add(key)
        return key

    def _compare(self, record: StudentRecord, known: Known) -> Iterator[Yielded]:
        if record.ine and known.ine and record.ine != known.ine:
            yield self._note(MatchCode.INE_CHANGED, record, matching.INE_CHANGED)
        if record.has_departed:
            if known.is_active:
                yield self.tally.note(self._deactivation(known, record.departed_on or self._today))
            else:
                self.tally.add("unchanged")
            return
        if not known.is_active and not record.division_code:
            yield self._leave_out(record)
            return
        if not record.division_code:
            yield from self._notes(record, FindingCode.WITHOUT_CLASS)
        yield from self._take_present(record, record.ine or known.ine)
        changes = self._differences(record, known)
        action = ChangeAction.CHANGE
        if not known.is_active:
            action = ChangeAction.REACTIVATE
            changes |= {"is_active": Pair(False, True), "departed_on": Pair(known.departed_on, None)}
        if changes:
            yield self.tally.note(Proposal("student", known.id, record.siecle_id, record.label, action, changes))
        else:
            self.tally.add("unchanged")

    def _differences(self, record: StudentRecord, known: Known) -> Changes:
        """Return what the file changes; what it leaves out (INE, number, birth date, MEF) is kept."""
        number = known.siecle_id if self._source is FROM_SIECLE else known.local_id
        names = record.last_name, record.usage_name, record.first_name
        if self._source is FROM_TABLE:
            have_names = known.last_name, known.usage_name, known.first_name
            names = tuple(map(matching.keep_case, names, have_names))  # type: ignore[assignment]
        wanted = (
            *names,
            record.birth_date or known.birth_date,
            record.ine or known.ine,
            record.siecle_id or number,
            record.division_code,
            record.mef_code or known.mef_code,
            self._came_by or known.came_by,
        )
        have = (
            known.last_name,
            known.usage_name,
            known.first_name,
            known.birth_date,
            known.ine,
            number,
            self._codes[known.division_id],
            known.mef_code,
            known.came_by,
        )
        if wanted == have:
            return {}
        pairs = zip(self._fields, have, wanted, strict=True)
        return {name: Pair(old, new) for name, old, new in pairs if old != new}

    def _judge_unknown(self, records: list[StudentRecord], refused: list[StudentRecord]) -> Iterator[Yielded]:
        find = self._find_namesakes([*records, *refused])
        self._named_by_refused += [(record, found) for record in refused if (found := find(record))]
        for record in records:
            namesakes = [known for known in find(record) if matching.may_be_same(record, known, self._source)]
            if len(namesakes) == 1 and self._is_plainly(record, namesakes[0]):
                yield from self._meet(record, namesakes[0])
            elif namesakes:
                self._namesakes.append((record, namesakes))
            elif self._is_out(record):
                yield self._leave_out(record)
            else:
                yield from self._admit(record)

    def _find_namesakes(self, records: list[StudentRecord]) -> Callable[[StudentRecord], list[Known]]:
        """Return a function giving the school's pupils who have the name of one of these records."""
        if self._is_empty or not records:
            return lambda record: []
        if self._with_usage_name is None:
            self._with_usage_name = matching.find_with_usage_name()
        found, more = matching.find_namesakes(records), self._with_usage_name

        def find(record: StudentRecord) -> list[Known]:
            key = matching.get_name_key(record)
            return found.get(key, []) + more.get(key, [])

        return find

    def _is_plainly(self, record: StudentRecord, known: Known) -> bool:
        """Return whether a pupil, whom no number of another line matches, is clearly the one of a record."""
        return not known.ine and not getattr(known, self._source.number) and self._is_repeated_in_words(record, known)

    def _is_repeated_in_words(self, record: StudentRecord, known: Known) -> bool:
        division = self._codes[known.division_id]
        return known.id not in self._seen and matching.repeats_in_words(record, known, division, self._source)

    def _meet(self, record: StudentRecord, known: Known) -> Iterator[Yielded]:
        self._see(known)
        yield from self._compare(record, known)

    def _resolve_namesakes(self) -> Iterator[Yielded]:
        """Separate homonyms from people to confirm, once all matches by number or by content are known."""
        doubtful: list[tuple[StudentRecord, list[Known]]] = []
        for record, namesakes in self._namesakes:
            known = next((each for each in namesakes if self._is_repeated_in_words(record, each)), None)
            if known:
                yield from self._meet(record, known)
            else:
                doubtful.append((record, namesakes))
        for record, namesakes in doubtful:
            yield from self._resolve(record, namesakes)
        for record, namesakes in self._named_by_refused:
            born_then = [known for known in namesakes if known.birth_date == record.birth_date]
            self._see(*(born_then or namesakes))

    def _resolve(self, record: StudentRecord, namesakes: list[Known]) -> Iterator[Yielded]:
        remaining = [known for known in namesakes if known.id not in self._seen]
        is_born_then = any(known.birth_date == record.birth_date for known in remaining or namesakes)
        if remaining:
            sentence = matching.describe_namesakes(record, remaining) if is_born_then else matching.SAME_NAME
            yield from self._ask(record, sentence, remaining, can_create=not self._is_out(record))
        elif self._is_out(record):
            yield self._leave_out(record)
        else:
            if is_born_then:
                yield self._note(MatchCode.HOMONYM, record, matching.HOMONYM)
            yield from self._admit(record)

    def _admit(self, record: StudentRecord) -> Iterator[Yielded]:
        """Create a pupil, or ask first if an earlier line may be about the same one."""
        person = matching.get_name_key(record), record.birth_date
        line = self._created.find_alike(person, record.ine, record.siecle_id)
        if line:
            sentence = SAME_LINE.format(line=line, what="porte ce nom et cette date de naissance")
            yield from self._ask(record, sentence, (), can_create=True)
        else:
            yield from self._create(record)

    def _create(self, record: StudentRecord) -> Iterator[Yielded]:
        yield from self._take_present(record, record.ine)
        person = matching.get_name_key(record), record.birth_date
        if person in self._created:
            yield self._note(MatchCode.HOMONYM, record, matching.HOMONYM)
        self._created.note(person, record.line, record.ine, record.siecle_id)
        values = (
            record.last_name,
            record.usage_name,
            record.first_name,
            record.birth_date,
            record.ine,
            record.siecle_id,
            record.division_code,
            record.mef_code,
            self._source.origin,
        )
        changes = creating(dict(zip(self._fields, values, strict=True)))
        yield self.tally.note(Proposal("student", None, record.siecle_id, record.label, ChangeAction.CREATE, changes))

    def _take_present(self, record: StudentRecord, ine: str | None) -> Iterator[Note]:
        """Count a pupil who will be present, and report if they will have no INE, whatever the file contains."""
        self._note_presence(record, ine)
        if not ine:
            yield from self._notes(record, FindingCode.INE_MISSING)

    def _note_presence(self, record: StudentRecord, ine: str | None) -> None:
        if not ine:
            self.tally.add("without_ine")
        if record.division_code:
            self.sizes_of_divisions[record.division_code] += 1
            mefs = self.mefs_of_division[record.division_code]
            if record.mef_code:
                mefs.add(record.mef_code)
        if record.mef_code:
            lines = self.lines_of_mef  # namesakes are judged after the lines that follow them
            lines[record.mef_code] = min(record.line, lines.get(record.mef_code, record.line))

    def _notes(self, record: StudentRecord, only: FindingCode | None = None) -> Iterator[Note]:
        """Yield the findings of a record, except those of `_OF_PRESENT`, which are asked for one by one (`only`)."""
        found = (each for each in record.findings if (each.code is only if only else each.code not in _OF_PRESENT))
        yield from list_notes(found, self._source.kind, record.label)

    def _note(self, code: MatchCode, record: StudentRecord, sentence: str) -> Note:
        return Note(code, self._source.kind, record.line, sentence, record.label)

    def _refuse(self, record: StudentRecord, sentence: str, *, is_open: bool = False) -> Note:
        return self._note(self.tally.refuse(is_open=is_open), record, sentence)

    @staticmethod
    def _is_out(record: StudentRecord) -> bool:
        """Return whether a record is about a pupil who has left, or is not enrolled yet."""
        return record.has_departed or not record.division_code

    def _leave_out(self, record: StudentRecord) -> Note:
        self.tally.ignored += 1
        code, sentence = (
            (MatchCode.GONE, matching.GONE) if record.has_departed else (MatchCode.NOT_ENROLLED, matching.NOT_ENROLLED)
        )
        return self._note(code, record, sentence)

    def _absent(self) -> Iterator[Proposal]:
        """Yield the deactivation of each active pupil missing from the file; paged, since writes happen in between."""
        after = 0
        while page := matching.list_active_ids(after, limit=_CHUNK):
            after = page[-1]
            absent = [id_ for id_ in page if id_ not in self._seen]
            for known in matching.select_known(is_among(Student.id, absent)) if absent else ():
                yield self.tally.note(
                    self._deactivation(known, self._today)._replace(is_selected=self._source.deactivates)
                )

    def _deactivation(self, known: Known, departed_on: dt.date) -> Proposal:
        changes = {"is_active": Pair(True, False), "departed_on": Pair(known.departed_on, departed_on)}
        label, number = person_name(known.last_name, known.first_name), getattr(known, self._source.number)
        return Proposal("student", known.id, number or "", label, ChangeAction.DEACTIVATE, changes)
