"""What one line of a file gives of a person, whatever the file.

Named tuples: a frozen dataclass takes four times as long to make, and there are a hundred thousand.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from cpro.imports.findings import Finding, Severity


class StudentRecord(NamedTuple):
    """A pupil as the file gives them; a refused one still says who they are, so that nobody deactivates them."""

    #: line of the XML file or of the table, from 1
    line: int
    #: SIECLE's ELEVE_ID; in tables, the school's own number, "" where it gives none
    siecle_id: str
    ine: str | None
    last_name: str
    #: "" when it is the family name
    usage_name: str
    first_name: str
    birth_date: dt.date | None
    #: "" when absent or unreadable
    mef_code: str
    #: "" when without class
    division_code: str
    #: as in the file: it may be to come
    departed_on: dt.date | None
    #: the leaving date is not later than the day of the import
    has_departed: bool
    findings: tuple[Finding, ...]

    @property
    def is_refused(self) -> bool:
        """Return whether something found keeps this pupil from being written."""
        return _has(self.findings, Severity.REFUSED)


class StaffRecord(NamedTuple):
    """Somebody who works in the school; `division_codes` are those whose pupils they teach, in the file's order."""

    line: int
    #: STS-Web's key, with `sts_type`; in tables, the school's own number, "" where it gives none
    sts_id: str
    #: "epp" (the ministry's staff) or "local"
    sts_type: str
    #: "M.", "Mme" or ""
    civility: str
    last_name: str
    first_name: str
    #: ENS, DIR, EDU, DOC…; "" for a local
    function: str
    disciplines: tuple[str, ...]
    division_codes: tuple[str, ...]
    #: always "" from STS-Web, which knows none
    email: str
    findings: tuple[Finding, ...]

    @property
    def is_refused(self) -> bool:
        """Return whether something found keeps this person from being written."""
        return _has(self.findings, Severity.REFUSED)

    @property
    def is_ignored(self) -> bool:
        """Return whether this person no longer works here: a leftover without function."""
        return _has(self.findings, Severity.IGNORED)


def _has(findings: tuple[Finding, ...], severity: Severity) -> bool:
    return bool(findings) and any(finding.code.severity is severity for finding in findings)
