"""List the changes and findings of an import: filtered, in the order of the files, paged by keyset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, func, select

from cpro.core.parsing import read_id
from cpro.core.validators import fold
from cpro.extensions import db
from cpro.imports.diff.proposals import MatchCode
from cpro.imports.models import ChangeAction, ImportChange, ImportFinding, ImportQuestion, ImportRun
from cpro.imports.parse.findings import FindingCode, Severity
from cpro.imports.runs.ticks import is_proposal
from cpro.students.accounts.queries import count_without_account
from cpro.students.models import Student

PAGE_SIZE = 50
#: Beyond, a count says « plus de ».
MAX_COUNT = 10_000
#: How many questions and proposals one page shows.
MAX_SHOWN = 200
OBJECT_TYPES = {"student": "élèves", "account": "personnels", "division": "divisions", "mef": "formations (MEF)"}
_CHUNK = 1000


@dataclass(frozen=True)
class Listing:
    """What a list shows, read from its address; whatever that holds, every field has a sound value."""

    chosen: Mapping[str, str]
    search: str
    after: int

    @classmethod
    def read(cls, args: Mapping[str, str], choices: Mapping[str, Mapping[str, str]]) -> Self:
        """Read the parameters of an address: filters, `recherche`, `apres`."""
        chosen = {name: args[name] for name, values in choices.items() if args.get(name) in values}
        return cls(chosen, args.get("recherche", "").strip()[:100], read_id(args.get("apres")) or 0)

    @property
    def is_narrowed(self) -> bool:
        """Return whether a search or a filter hides lines."""
        return bool(self.chosen or self.search)

    def query(self, after: int | None = None) -> str:
        """Return the parameters of the same list, from a place on."""
        asked = {**self.chosen, "recherche": self.search, "apres": str(after or "")}
        return urlencode({name: value for name, value in asked.items() if value})


CHANGE_CHOICES: dict[str, Mapping[str, str]] = {
    "quoi": OBJECT_TYPES,
    "action": {
        "create": "à créer",
        "change": "à modifier",
        "deactivate": "à désactiver",
        "reactivate": "à réactiver",
    },
    "retenu": {"oui": "retenus", "non": "proposés, non cochés"},
}
FINDING_CHOICES: dict[str, Mapping[str, str]] = {
    "gravite": {"REFUSED": "refusés", "IGNORED": "ignorés", "WARNING": "avertissements"},
    "constat": {code.name: code.value for kind in (FindingCode, MatchCode) for code in kind},
}


def list_changes(run_id: int, listed: Listing, limit: int = PAGE_SIZE + 1) -> Sequence[ImportChange]:
    """Return one page of changes and one more, in the order of the analysis."""
    return db.session.scalars(
        select(ImportChange)
        .where(*_of_changes(run_id, listed), ImportChange.id > listed.after)
        .order_by(ImportChange.id)
        .limit(limit)
    ).all()


def count_changes(run_id: int, listed: Listing) -> int:
    """Return how many changes the filters leave, counting no further than one beyond `MAX_COUNT`."""
    counted = select(ImportChange.id).where(*_of_changes(run_id, listed)).limit(MAX_COUNT + 1).subquery()
    return db.session.scalar(select(func.count(counted.c.id))) or 0


def list_findings(run_id: int, listed: Listing, limit: int = PAGE_SIZE + 1) -> Sequence[ImportFinding]:
    """Return one page of findings and one more, in the order of the analysis."""
    return db.session.scalars(
        select(ImportFinding)
        .where(*_of_findings(run_id, listed), ImportFinding.id > listed.after)
        .order_by(ImportFinding.id)
        .limit(limit)
    ).all()


def count_findings(run_id: int, listed: Listing) -> int:
    """Return how many findings the filters leave, counting no further than one beyond `MAX_COUNT`."""
    counted = select(ImportFinding.id).where(*_of_findings(run_id, listed)).limit(MAX_COUNT + 1).subquery()
    return db.session.scalar(select(func.count(counted.c.id))) or 0


def iter_changes(run_id: int) -> Iterator[ImportChange]:
    """Yield every change of an import, some at a time."""
    listed = Listing({}, "", 0)
    while page := list_changes(run_id, listed, _CHUNK):
        yield from page
        listed = Listing({}, "", page[-1].id)
        db.session.expunge_all()


def iter_findings(run_id: int) -> Iterator[ImportFinding]:
    """Yield everything found in an import, some at a time."""
    listed = Listing({}, "", 0)
    while page := list_findings(run_id, listed, _CHUNK):
        yield from page
        listed = Listing({}, "", page[-1].id)
        db.session.expunge_all()


def list_questions(run_id: int) -> Sequence[ImportQuestion]:
    """Return the questions of an import, those still open first, and one more than a page shows."""
    return db.session.scalars(
        select(ImportQuestion)
        .where(ImportQuestion.run_id == run_id)
        .order_by(ImportQuestion.answer.is_not(None), ImportQuestion.id)
        .limit(MAX_SHOWN + 1)
    ).all()


def count_questions(run_id: int) -> tuple[int, int]:
    """Return how many questions an import asks, and how many are still open."""
    asked, answered = db.session.execute(
        select(func.count(ImportQuestion.id), func.count(ImportQuestion.answer)).where(ImportQuestion.run_id == run_id)
    ).one()
    return asked, asked - answered


def list_proposals(run: ImportRun, after: int = 0) -> Sequence[ImportChange]:
    """Return the deactivations that a person ticks, from a place on, and one more than a page shows."""
    return db.session.scalars(
        select(ImportChange)
        .where(is_proposal(run), ImportChange.id > after)
        .order_by(ImportChange.id)
        .limit(MAX_SHOWN + 1)
    ).all()


def count_proposals(run: ImportRun) -> tuple[int, int]:
    """Return how many deactivations are proposed, and how many are ticked."""
    rows = db.session.execute(
        select(ImportChange.is_selected, func.count(ImportChange.id))
        .where(is_proposal(run))
        .group_by(ImportChange.is_selected)
    )
    numbers = {is_selected: number for is_selected, number in rows}
    return sum(numbers.values()), numbers.get(True, 0)


def count_by_action(run_id: int, *object_types: str) -> dict[tuple[str, str], int]:
    """Return how many objects of these types each action concerns, {(type, action): number}."""
    rows = db.session.execute(
        select(ImportChange.object_type, ImportChange.action_value, func.count(ImportChange.id))
        .where(ImportChange.run_id == run_id, ImportChange.object_type.in_(object_types))
        .group_by(ImportChange.object_type, ImportChange.action_value)
    )
    return {(object_type, action): number for object_type, action, number in rows}


def count_by_code(run_id: int) -> list[tuple[str, str, int]]:
    """Return (severity, code, number) of what was found, the refused first."""
    rows = db.session.execute(
        select(ImportFinding.severity, ImportFinding.code, func.count(ImportFinding.id))
        .where(ImportFinding.run_id == run_id)
        .group_by(ImportFinding.severity, ImportFinding.code)
    )
    order = [severity.name for severity in Severity]
    return sorted(((severity, code, number) for severity, code, number in rows), key=lambda row: order.index(row[0]))


def _of_changes(run_id: int, listed: Listing) -> list[ColumnElement[bool]]:
    conditions = [ImportChange.run_id == run_id]
    if "quoi" in listed.chosen:
        conditions.append(ImportChange.object_type == listed.chosen["quoi"])
    if "action" in listed.chosen:
        conditions.append(ImportChange.action_value == ChangeAction(listed.chosen["action"]).value)
    if "retenu" in listed.chosen:
        conditions.append(ImportChange.is_selected.is_(listed.chosen["retenu"] == "oui"))
    return conditions + _sought(ImportChange.search_key, listed.search)


def _of_findings(run_id: int, listed: Listing) -> list[ColumnElement[bool]]:
    conditions = [ImportFinding.run_id == run_id]
    if "gravite" in listed.chosen:
        conditions.append(ImportFinding.severity == listed.chosen["gravite"])
    if "constat" in listed.chosen:
        conditions.append(ImportFinding.code == listed.chosen["constat"])
    return conditions + _sought(ImportFinding.search_key, listed.search)


def _sought(key: Any, search: str) -> list[ColumnElement[bool]]:
    return [key.contains(word, autoescape=True) for word in fold(search).split()]


def count_accounts_to_open(run: ImportRun) -> int:
    """Return how many pupils present would have no account once an analysed import is applied, all its ticks kept."""
    changed = (
        select(ImportChange.action_value, func.count(ImportChange.id))
        .outerjoin(
            Student,
            (Student.id == ImportChange.object_id) & (Student.establishment_id == ImportChange.establishment_id),
        )
        .where(
            ImportChange.run_id == run.id,
            ImportChange.object_type == "student",
            ImportChange.is_selected,
            Student.account_id.is_(None),
        )
        .group_by(ImportChange.action_value)
    )
    by_action = {ChangeAction(action): number for action, number in db.session.execute(changed)}
    arriving = by_action.get(ChangeAction.CREATE, 0) + by_action.get(ChangeAction.REACTIVATE, 0)
    return count_without_account() + arriving - by_action.get(ChangeAction.DEACTIVATE, 0)
