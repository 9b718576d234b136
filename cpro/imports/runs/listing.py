"""List the changes and findings of an import: filtered, in file order, with keyset pagination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, func, select

from cpro.core.counts import count_rows
from cpro.core.lists import ListState, Page, contains_words, find_page_from
from cpro.extensions import db
from cpro.imports.diff.proposals import MatchCode
from cpro.imports.models import ChangeAction, ImportChange, ImportFinding, ImportQuestion, ImportRun
from cpro.imports.parse.findings import FindingCode, Severity
from cpro.imports.runs.ticks import is_proposal
from cpro.students.accounts.queries import count_without_account
from cpro.students.models import Student

PAGE_SIZE = 50
#: How many questions and proposals one page shows.
MAX_SHOWN = 200
OBJECT_TYPES = {"student": "élèves", "account": "personnels", "division": "divisions", "mef": "formations (MEF)"}
_CHUNK = 1000


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
    "gravite": {"REFUSED": "refusés", "QUESTION": "questions", "IGNORED": "ignorés", "WARNING": "avertissements"},
    "constat": {code.name: code.value for kind in (FindingCode, MatchCode) for code in kind},
}


def find_changes(run_id: int, asked: ListState) -> Page[ImportChange]:
    """Return one page of changes, in the order of the analysis."""
    return find_page_from(asked, select(ImportChange).where(*_of_changes(run_id, asked)), ImportChange.id)


def count_changes(run_id: int, asked: ListState) -> int:
    """Return the number of changes matching the filters."""
    return count_rows(select(ImportChange.id).where(*_of_changes(run_id, asked)))


def find_findings(run_id: int, asked: ListState) -> Page[ImportFinding]:
    """Return one page of findings, in the order of the analysis."""
    return find_page_from(asked, select(ImportFinding).where(*_of_findings(run_id, asked)), ImportFinding.id)


def count_findings(run_id: int, asked: ListState) -> int:
    """Return the number of findings matching the filters."""
    return count_rows(select(ImportFinding.id).where(*_of_findings(run_id, asked)))


def iter_changes(run_id: int) -> Iterator[ImportChange]:
    """Yield every change of an import, in batches."""
    statement = select(ImportChange).where(ImportChange.run_id == run_id).order_by(ImportChange.id)
    yield from db.session.scalars(statement.execution_options(yield_per=_CHUNK))


def iter_findings(run_id: int) -> Iterator[ImportFinding]:
    """Yield every finding of an import, in batches."""
    statement = select(ImportFinding).where(ImportFinding.run_id == run_id).order_by(ImportFinding.id)
    yield from db.session.scalars(statement.execution_options(yield_per=_CHUNK))


def list_questions(run_id: int) -> Sequence[ImportQuestion]:
    """Return the questions of an import about people, open ones first, and one more than a page shows."""
    return db.session.scalars(
        select(ImportQuestion)
        .where(ImportQuestion.run_id == run_id, ImportQuestion.object_type != ImportQuestion.COLUMN)
        .order_by(ImportQuestion.answer.is_not(None), ImportQuestion.id)
        .limit(MAX_SHOWN + 1)
    ).all()


def list_column_questions(run_id: int) -> Sequence[ImportQuestion]:
    """Return the questions of an import about columns, in the order of the tables."""
    return db.session.scalars(
        select(ImportQuestion)
        .where(ImportQuestion.run_id == run_id, ImportQuestion.object_type == ImportQuestion.COLUMN)
        .order_by(ImportQuestion.id)
    ).all()


def count_questions(run_id: int) -> tuple[int, int]:
    """Return how many questions an import asks about people, and how many are still open."""
    asked, answered = db.session.execute(
        select(func.count(ImportQuestion.id), func.count(ImportQuestion.answer)).where(
            ImportQuestion.run_id == run_id, ImportQuestion.object_type != ImportQuestion.COLUMN
        )
    ).one()
    return asked, asked - answered


def list_proposals(run: ImportRun, after: int = 0) -> Sequence[ImportChange]:
    """Return the deactivations to be ticked, from an offset on, and one more than a page shows."""
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


def count_by_action(run_id: int, *object_types: str) -> dict[tuple[str, ChangeAction], int]:
    """Return the number of objects of these types concerned by each action, {(type, action): number}."""
    rows = db.session.execute(
        select(ImportChange.object_type, ImportChange.action, func.count(ImportChange.id))
        .where(ImportChange.run_id == run_id, ImportChange.object_type.in_(object_types))
        .group_by(ImportChange.object_type, ImportChange.action)
    )
    return {(object_type, action): number for object_type, action, number in rows}


def count_by_code(run_id: int) -> list[tuple[str, str, int]]:
    """Return (severity, code, number) of the findings, refused ones first."""
    rows = db.session.execute(
        select(ImportFinding.severity, ImportFinding.code, func.count(ImportFinding.id))
        .where(ImportFinding.run_id == run_id)
        .group_by(ImportFinding.severity, ImportFinding.code)
    )
    order = [severity.name for severity in Severity]
    return sorted(((severity, code, number) for severity, code, number in rows), key=lambda row: order.index(row[0]))


def _of_changes(run_id: int, asked: ListState) -> list[ColumnElement[bool]]:
    conditions = [ImportChange.run_id == run_id]
    if "quoi" in asked.chosen:
        conditions.append(ImportChange.object_type == asked.chosen["quoi"])
    if "action" in asked.chosen:
        conditions.append(ImportChange.action == ChangeAction(asked.chosen["action"]))
    if "retenu" in asked.chosen:
        conditions.append(ImportChange.is_selected.is_(asked.chosen["retenu"] == "oui"))
    return conditions + contains_words(asked.search, ImportChange.search_key)


def _of_findings(run_id: int, asked: ListState) -> list[ColumnElement[bool]]:
    conditions = [ImportFinding.run_id == run_id]
    if "gravite" in asked.chosen:
        conditions.append(ImportFinding.severity == asked.chosen["gravite"])
    if "constat" in asked.chosen:
        conditions.append(ImportFinding.code == asked.chosen["constat"])
    return conditions + contains_words(asked.search, ImportFinding.search_key)


def count_accounts_to_open(run: ImportRun) -> int:
    """Return how many active pupils would lack an account once an analysed import is applied with its current ticks."""
    changed = (
        select(ImportChange.action, func.count(ImportChange.id))
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
        .group_by(ImportChange.action)
    )
    by_action = {action: number for action, number in db.session.execute(changed)}
    arriving = by_action.get(ChangeAction.CREATE, 0) + by_action.get(ChangeAction.REACTIVATE, 0)
    return count_without_account() + arriving - by_action.get(ChangeAction.DEACTIVATE, 0)
