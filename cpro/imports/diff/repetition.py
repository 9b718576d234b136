"""Skip reading a file of pupils that was already applied: what reading it would find is known in advance.

An analysis is settled if, once everything it proposes is done, the same file proposes nothing more and gives the same
findings. Then each pupil of the file has the number given by the file, by which they are found, and the values given by
the file; those left out are still unknown. It is derived from the output: a question, a refused line or a finding that
may not come again (`is_found_again` names those that do) unsettles it, and the file is then read each time.

A settled analysis is stored with its import once applied. It is valid for the same bytes, the same code and the same
data: `imports.queries.fingerprint_of_data`, as it was when the import was written, the day included. Divisions, courses
and staff, which are few, are compared again each time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

import cpro.core
from cpro.extensions import db
from cpro.imports.diff.proposals import MatchCode, Note, Question, Tally, Yielded
from cpro.imports.models import ImportFinding
from cpro.imports.parse.findings import FindingCode
from cpro.imports.parse.siecle.header import ExportKind
from cpro.imports.queries import find_last_applied, fingerprint_of_data
from cpro.students.models import Student

#: Findings of the comparison of pupils, in addition to their reader's, that are found again.
_FOUND_AGAIN = (MatchCode.GONE.name, MatchCode.NOT_ENROLLED.name)


@dataclass(frozen=True)
class Repetition:
    """What a settled analysis of a file of pupils will find once it is applied; stored as JSON."""

    #: pupils in the file, and those active in the school once it is applied
    records: int
    present: int
    ignored: int
    without_ine: int
    #: how many findings of the import are found again
    notes: int
    mefs_of_division: dict[str, list[str]]
    sizes_of_divisions: dict[str, int]
    lines_of_mef: dict[str, int]

    def keep(self, digest: str) -> dict[str, Any]:
        """Return it as stored in `ImportRun.settled`, under the digest of its file (`digest_of`)."""
        return {"digest": digest, **asdict(self)}


class Watch:
    """Observe the output of an analysis of pupils, and determine at the end whether it is settled."""

    def __init__(self) -> None:
        self._notes, self._is_settled = 0, True

    def look(self, each: Yielded) -> Yielded:
        """Take one output into account, and return it."""
        if isinstance(each, Note):
            self._notes += 1
            self._is_settled &= is_found_again(each)
        elif isinstance(each, Question):
            self._is_settled = False
        return each

    def conclude(
        self,
        tally: Tally,
        *,
        records: int,
        mefs_of_division: Mapping[str, set[str]],
        sizes_of_divisions: Mapping[str, int],
        lines_of_mef: Mapping[str, int],
    ) -> Repetition | None:
        """Return what the same file will find once everything is applied, None if that is not known."""
        counts = tally.counts
        if not self._is_settled or counts["refused"] or tally.unticked:
            return None
        return Repetition(
            records,
            tally.active_before + counts["created"] + counts["reactivated"] - counts["deactivated"],
            tally.ignored,
            counts["without_ine"],
            self._notes,
            {code: sorted(mefs) for code, mefs in mefs_of_division.items()},
            dict(sizes_of_divisions),
            dict(lines_of_mef),
        )


@dataclass(frozen=True)
class Found:
    """A repetition valid now, of an import that was applied."""

    run_id: int
    repetition: Repetition

    def list_notes(self) -> Iterator[Note]:
        """Yield the stored findings of the file."""
        kept = select(ImportFinding).where(*_is_found_again(self.run_id)).order_by(ImportFinding.id)
        for each in db.session.scalars(kept):
            code = FindingCode[each.code] if each.code in FindingCode.__members__ else MatchCode[each.code]
            yield Note(code, each.file_kind, each.line, each.sentence, each.object_label)


def find_repetition(digest: str, today: dt.date) -> Found | None:
    """Return what the last import applied knows about a file of pupils, None if the file must be read."""
    run = find_last_applied()
    if run is None or run.settled is None or run.settled["digest"] != digest:
        return None
    if run.settled_with != fingerprint_of_data(today):
        return None
    repetition = Repetition(**{name: value for name, value in run.settled.items() if name != "digest"})
    present = db.session.scalar(select(func.count(Student.id)).where(Student.is_active))
    notes = db.session.scalar(select(func.count(ImportFinding.id)).where(*_is_found_again(run.id)))
    if (present, notes) != (repetition.present, repetition.notes):
        return None
    return Found(run.id, repetition)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file together with the code that reads and compares it."""
    digest = hashlib.sha256(_CODE)
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def is_found_again(note: Note) -> bool:
    """Return whether a note of the comparison of pupils is taken from the stored ones on repetition."""
    return isinstance(note.code, FindingCode) or note.code.name in _FOUND_AGAIN


def _is_found_again(run_id: int) -> tuple[Any, ...]:
    codes = (*FindingCode.__members__, *_FOUND_AGAIN)
    return (
        ImportFinding.run_id == run_id,
        ImportFinding.file_kind == ExportKind.STUDENTS.label,
        ImportFinding.code.in_(codes),
    )


def _digest_code() -> bytes:
    """Return the digest of the sources of imports and of the modules they depend on, as loaded by this process."""
    digest = hashlib.sha256()
    for folder in (Path(__file__).parent.parent, Path(cpro.core.__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.digest()


_CODE = _digest_code()
