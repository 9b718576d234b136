"""What any analysis returns once it has run, whichever files it read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from cpro.imports.analysis.confirmations import list_confirmations
from cpro.imports.analysis.divisions import Found, compare_divisions
from cpro.imports.analysis.proposals import Tally, Yielded
from cpro.imports.analysis.students import StudentAnalysis


class Comparison:
    """Files compared with the school: `run`, which each kind of files writes, fills the figures below."""

    def __init__(self, students: StudentAnalysis, *, school_year: int, today: dt.date) -> None:
        self._students, self._school_year, self._today = students, school_year, today
        self._staff_tally = Tally()
        self._division_changes = 0

    def watch(self, on_pupils: Callable[[int], object]) -> None:
        """Call a function with how many pupils of the file are compared, as the analysis runs."""
        self._students.on_records = on_pupils

    @property
    def counts(self) -> dict[str, Any]:
        """Return the figures, in the contract's words."""
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
        return list_confirmations(self.counts, school_year=self._school_year, today=self._today)

    def _compare_divisions(self, found: Found) -> Iterator[Yielded]:
        for each in compare_divisions(found):
            self._division_changes += getattr(each, "object_type", "") == "division"
            yield each
