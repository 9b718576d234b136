"""The output of an analysis: changes, findings, questions to the user, and their tally."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from cpro.imports.changes import Changes
from cpro.imports.models import ChangeAction
from cpro.imports.parse.findings import Finding, FindingCode, Severity

#: What the command line and the pages count, under the names of the contract.
COUNTED = ("created", "changed", "deactivated", "reactivated", "unchanged", "refused", "without_ine")
COUNT_OF = {
    ChangeAction.CREATE: "created",
    ChangeAction.CHANGE: "changed",
    ChangeAction.DEACTIVATE: "deactivated",
    ChangeAction.REACTIVATE: "reactivated",
}
#: Answers of users, {key of the question: id of the person meant, 0 for another person}.
Answers = Mapping[str, int]


def find_answer(answers: Answers, key: str, candidates: Collection[int]) -> int | None:
    """Return the answer to a question, None if there is none, or if it names a person no longer proposed."""
    answer = answers.get(key)
    return answer if answer in (0, *candidates) else None


class MatchCode(enum.Enum):
    """Findings of the comparison with the school's data; values are the French labels of the filter."""

    TO_CONFIRM = "à confirmer"
    LEFT_OUT = "ligne laissée de côté"
    HOMONYM = "homonyme"
    INE_CHANGED = "INE différent"
    MEF_UNLINKED = "MEF à rattacher"
    SEVERAL_DIPLOMAS = "plusieurs diplômes"
    LARGE_DIVISION = "division très nombreuse"
    NOT_TAUGHT = "fonction sans compte"
    FURTHER_HEAD = "autre chef d’établissement"
    HEAD_IN_PLACE = "chef d’établissement en place"
    HEAD_WAITING = "chef d’établissement en attente d’accord"
    HEAD_WITHOUT_EMAIL = "adresse électronique d’un chef, pas reprise"
    ROLE_KEPT = "rôle inchangé"
    CLOSED_BY_HAND = "compte désactivé à la main"
    GONE = "parti sans être connu ici"
    NOT_ENROLLED = "sans division, pas repris"
    EMAIL_KEPT = "adresse électronique inchangée"
    DIVISION_UNKNOWN = "division inconnue"
    DIVISION_TWIN = "deux codes de division proches"

    @property
    def severity(self) -> Severity:
        """Return what happens to a line with this finding."""
        if self in (MatchCode.TO_CONFIRM, MatchCode.LEFT_OUT):
            return Severity.QUESTION if self is MatchCode.TO_CONFIRM else Severity.REFUSED
        return Severity.IGNORED if self in _IGNORING else Severity.WARNING


_IGNORING = (MatchCode.NOT_TAUGHT, MatchCode.GONE, MatchCode.NOT_ENROLLED)


def label_of(code: str) -> str:
    """Return the French label of a stored code."""
    kind = FindingCode if code in FindingCode.__members__ else MatchCode
    return str(kind[code].value)


class Proposal(NamedTuple):
    """What would happen to one object."""

    object_type: str
    object_id: int | None
    object_key: str
    object_label: str
    action: ChangeAction
    changes: Changes
    is_selected: bool = True


class Note(NamedTuple):
    """A finding about a line of a file."""

    code: FindingCode | MatchCode
    file_kind: str
    line: int
    sentence: str
    #: label of the object the line is about
    label: str = ""


class Question(NamedTuple):
    """A line about which the user must say whom it is about; see `ImportQuestion`."""

    key: str
    object_type: str
    line: int
    person: str
    sentence: str
    #: (id, description) of each person of the school it may be about
    candidates: tuple[tuple[int, str], ...]
    can_create: bool
    answer: int | None


Yielded = Proposal | Note | Question


def list_notes(findings: Iterable[Finding], file_kind: str, label: str = "") -> Iterator[Note]:
    """Yield the readers' findings about one line, or one file."""
    for finding in findings:
        yield Note(finding.code, file_kind, finding.line, finding.sentence, label)


class Tally:
    """The figures of one category of people."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(COUNTED, 0)
        #: people in the file who are not to be written: gone before they came, without class, without account
        self.ignored = 0
        #: active in the school before the import
        self.active_before = 0
        #: lines, counted as refused, about which a question is open
        self.to_confirm = 0
        #: deactivations that wait to be ticked
        self.unticked = 0

    def add(self, count: str) -> None:
        """Increment a count."""
        self.counts[count] += 1

    def refuse(self, *, is_open: bool) -> MatchCode:
        """Count a line left out, and return the code that says so; `is_open`: its question has no answer yet."""
        self.add("refused")
        self.to_confirm += is_open
        return MatchCode.TO_CONFIRM if is_open else MatchCode.LEFT_OUT

    def note(self, proposal: Proposal) -> Proposal:
        """Count a proposal, and return it."""
        if proposal.is_selected:
            self.counts[COUNT_OF[proposal.action]] += 1
        else:
            self.unticked += 1
        return proposal
