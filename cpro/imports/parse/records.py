"""The data of a person in one line of any file, and the buffer that stores it until the whole file is read.

Named tuples: a frozen dataclass takes four times as long to create, and there are a hundred thousand.
"""

from __future__ import annotations

import datetime as dt
import marshal
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple

from cpro.core.formatting import person_name
from cpro.imports.parse.findings import Finding, Severity


class StudentRecord(NamedTuple):
    """A pupil in a file; a refused one is still identified, so as not to be deactivated."""

    #: line of the XML file or of the table, from 1
    line: int
    #: SIECLE's ELEVE_ID; in tables, the school's own number, "" if not given
    siecle_id: str
    ine: str | None
    last_name: str
    #: "" when equal to the family name
    usage_name: str
    first_name: str
    birth_date: dt.date | None
    #: "" when absent or unreadable
    mef_code: str
    #: "" when without class
    division_code: str
    #: as in the file: it may be in the future
    departed_on: dt.date | None
    #: whether the leaving date is the day of the import or earlier
    has_departed: bool
    findings: tuple[Finding, ...]

    @property
    def label(self) -> str:
        """Return the person's name, as shown in lists."""
        return person_name(self.last_name, self.first_name)

    @property
    def is_refused(self) -> bool:
        """Return whether a finding prevents this pupil from being written."""
        return _has(self.findings, Severity.REFUSED)

    @property
    def is_ignored(self) -> bool:
        """Return whether the line is about a row that was merged into another."""
        return _has(self.findings, Severity.IGNORED)


class StaffRecord(NamedTuple):
    """A staff member; `division_codes` are the divisions they teach, in the file's order."""

    line: int
    #: STS-Web's key, with `sts_type`; in tables, the school's own number, "" if not given
    sts_id: str
    #: "epp" (the ministry's staff) or "local"
    sts_type: str
    #: "M.", "Mme" or ""
    civility: str
    last_name: str
    first_name: str
    #: ENS, DIR, EDU, DOC…; "" for a local person
    function: str
    disciplines: tuple[str, ...]
    division_codes: tuple[str, ...]
    #: always "" from STS-Web, which has none
    email: str
    findings: tuple[Finding, ...]
    #: further columns of our own list of accounts, when it is deposited again
    login: str = ""
    is_closed: bool = False

    @property
    def label(self) -> str:
        """Return the person's name, as shown in lists."""
        return person_name(self.last_name, self.first_name)

    @property
    def is_refused(self) -> bool:
        """Return whether a finding prevents this person from being written."""
        return _has(self.findings, Severity.REFUSED)

    @property
    def is_ignored(self) -> bool:
        """Return whether this person no longer works here: a leftover entry without function."""
        return _has(self.findings, Severity.IGNORED)


def _has(findings: tuple[Finding, ...], severity: Severity) -> bool:
    return bool(findings) and any(finding.code.severity is severity for finding in findings)


_BATCH = 500
_MEMORY_SIZE = 1 << 20


class RecordBuffer:
    """A buffer of tuples of plain values, read in the order in which they were appended.

    The temporary file has no name: the system deletes it when the process ends.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_MEMORY_SIZE)
        self._batch: list[tuple[Any, ...]] = []

    def __enter__(self) -> RecordBuffer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, values: tuple[Any, ...]) -> None:
        """Append a tuple of None, numbers and texts."""
        self._batch.append(values)
        if len(self._batch) == _BATCH:
            self._flush()

    def replay(self) -> Iterator[tuple[Any, ...]]:
        """Yield the tuples in the order in which they were appended."""
        self._flush()
        self._file.seek(0)
        while size := int.from_bytes(self._file.read(8), "big"):
            yield from marshal.loads(self._file.read(size))

    def _flush(self) -> None:
        if self._batch:
            data = marshal.dumps(self._batch)
            self._file.write(len(data).to_bytes(8, "big") + data)
            self._batch = []
