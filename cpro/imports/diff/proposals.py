"""What an analysis yields: changes, findings, questions to a person, and the tally of them."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from cpro.imports.changes import Changes
from cpro.imports.models import ChangeAction
from cpro.imports.parse.findings import Finding, FindingCode, Severity

#: What the command line and the pages count, in the contract's words.
COUNTED = ("created", "changed", "deactivated", "reactivated", "unchanged", "refused", "without_ine")
_COUNT_OF = {
    ChangeAction.CREATE: "created",
    ChangeAction.CHANGE: "changed",
    ChangeAction.DEACTIVATE: "deactivated",
    ChangeAction.REACTIVATE: "reactivated",
}
#: What people answered, {key of the question: id of the person meant, 0 for another person}.
Answers = Mapping[str, int]


def find_answer(answers: Answers, key: str, candidates: Collection[int]) -> int | None:
    """Return what was answered to a question, None where nothing was, or a person whom it does not propose any more."""
    answer = answers.get(key)
    return answer if answer in (0, *candidates) else None


class MatchCode(enum.Enum):
    """What only the comparison with the school's data finds; values are the French labels of the filter."""

    TO_CONFIRM = "à confirmer"
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
        """Return what becomes of a line on which this is found."""
        if self is MatchCode.TO_CONFIRM:
            return Severity.REFUSED
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
    """Something found in a line of a file."""

    code: FindingCode | MatchCode
    file_kind: str
    line: int
    sentence: str
    #: who or what the line is about
    label: str = ""


class Question(NamedTuple):
    """A line that a person must say whom it is about; see `ImportQuestion`."""

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
    """The figures of one family of people."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(COUNTED, 0)
        #: people the file names and who are not to be written: gone before they came, without class, without account
        self.ignored = 0
        #: active in the school before the import
        self.active_before = 0
        #: deactivations that wait for a tick
        self.unticked = 0

    def add(self, count: str) -> None:
        """Count one more."""
        self.counts[count] += 1

    def note(self, proposal: Proposal) -> Proposal:
        """Count a proposal, and return it."""
        if proposal.is_selected:
            self.counts[_COUNT_OF[proposal.action]] += 1
        else:
            self.unticked += 1
        return proposal
