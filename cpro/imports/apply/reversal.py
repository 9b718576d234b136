"""Undo the last import, wholly or not at all: it is refused once its data was worked on.

Prepared outside and written in one short transaction, as an application is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Integer, Row, Table, or_, select
from sqlalchemy.exc import IntegrityError

from cpro.core import events
from cpro.core.formatting import of_name, spoken_name
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor, Role
from cpro.core.staging import Staging
from cpro.core.validators import fold
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.imports.apply import pupils
from cpro.imports.apply.changes import division_ids, list_changes, list_object_ids, plain, set_divisions, set_fields
from cpro.imports.diff.services import DIVISIONS, SERVICES
from cpro.imports.errors import UndoImpossible, UndoUnderWay
from cpro.imports.models import UNDO_JOB, ChangeAction, ImportChange, ImportRun, RunState
from cpro.imports.queries import UNDO_PERIOD, find_last_applied, find_open_run, fingerprint_of_data, get_run
from cpro.imports.runs.exclusion import lock_imports, lock_imports_and_school
from cpro.imports.runs.lifecycle import is_being_undone, record_about_run
from cpro.records.queries import list_students_with_records
from cpro.students.models import MEF, Division, Student, TeacherDivision
from cpro.users.models import Account

#: Changes undone before the answer: those of a large school. A worker undoes more.
AT_ONCE_CHANGES = 5000
_CORRECTED = (ChangeAction.CHANGE, ChangeAction.REACTIVATE, ChangeAction.DEACTIVATE)
#: What makes pupils of two schools meet.
_MATCHING_FIELDS = frozenset({"ine", "is_active", "last_name", "usage_name", "first_name", "birth_date", "came_by"})
#: Divisions go before courses, once their pupils are gone.
_STRUCTURE: dict[str, tuple[type[Any], str]] = {"division": (Division, "une division"), "mef": (MEF, "une formation")}


@dataclass
class PreparedUndo:
    """An import ready to be undone: temporary tables hold the rows to delete and the values to restore."""

    run_id: int
    #: `fingerprint_of_data` when it was prepared
    fingerprint: str
    #: ids of the pupils and of the accounts that go
    going_pupils: Table
    going_accounts: Table
    corrected: pupils.Corrected
    #: {"division" or "mef": ids of those that go, and how many}
    going_structure: dict[str, tuple[Table, int]] = field(default_factory=dict)
    created_ids: list[int] = field(default_factory=list)
    #: pupils whose presence or identity the import changed, those it created included
    matched_ids: list[int] = field(default_factory=list)
    account_count: int = 0


def prepare_undo(
    staged: Staging, *, run_id: int | None, today: dt.date, now: dt.datetime, heartbeat: Callable[[], None]
) -> PreparedUndo:
    """Check all that undoing the last import rests on, outside any unit of work; `run_id` may say which it must be.

    Raises `UndoImpossible`, with the reason: one of those of `check_undoable`, or what it wrote was worked on since.
    """
    compared_with = fingerprint_of_data(today)
    run = check_undoable(get_run(run_id) if run_id is not None else None, now=now)
    prepared = PreparedUndo(
        run.id,
        compared_with,
        staged.table("pupils", id=Integer()),
        staged.table("accounts", id=Integer()),
        pupils.stage_corrected(staged, run, direction="back", heartbeat=heartbeat),
    )
    account_ids = {id_ for ids in list_object_ids(run.id, "account", ChangeAction.CREATE) for id_ in ids}
    prepared.account_count, by_code = len(account_ids), division_ids()
    for page in list_changes(run.id, "student", ChangeAction.CREATE):
        heartbeat()
        _check_students(page, by_code, account_ids)
        prepared.created_ids += [change.object_id for change in page]
        staged.fill(prepared.going_pupils, ({"id": change.object_id} for change in page))
    for page in list_changes(run.id, "account", ChangeAction.CREATE):
        heartbeat()
        _check_accounts(page)
        staged.fill(prepared.going_accounts, ({"id": change.object_id} for change in page))
    prepared.matched_ids = [*prepared.created_ids, *_list_matched(run)]
    for object_type, (model, noun) in _STRUCTURE.items():
        table, count = staged.table(object_type, id=Integer()), 0
        for page in list_changes(run.id, object_type, ChangeAction.CREATE):
            _check_structure(page, model, noun)
            count += staged.fill(table, ({"id": change.object_id} for change in page))
        prepared.going_structure[object_type] = (table, count)
    staged.keep()
    return prepared


def write_undo(staged: Staging, prepared: PreparedUndo, *, today: dt.date, by: Actor, now: dt.datetime) -> ImportRun:
    """Undo an import that was prepared, inside a unit of work on the same session, and return it.

    What it caused elsewhere is undone first by whoever listens to `import_undone`. Raises as `prepare_undo`, and
    `ImportUnderWay`.
    """
    lock_imports()
    run = _require_last(get_run(prepared.run_id), now=now)
    events.import_undone.send(
        establishment_id=staged.school,
        run_id=run.id,
        student_ids=prepared.matched_ids,
        created_ids=prepared.created_ids,
        applied_at=run.applied_at,
        by=by,
        now=now,
    )
    try:
        _write(staged, prepared, run)
    except IntegrityError as error:
        raise _worked_on("un dossier", "a servi depuis") from error
    lock_current_establishment()
    if fingerprint_of_data(today) != prepared.fingerprint:
        raise _worked_on("des données de l’établissement", "viennent de changer : recommencez")
    run.state_value, run.undone_at = RunState.UNDONE.value, now
    record_about_run("undone", run, {"state": ("appliqué", "annulé")}, by=by, now=now)
    return run


def _write(staged: Staging, prepared: PreparedUndo, run: ImportRun) -> None:
    for ids in list_object_ids(run.id, "student", ChangeAction.REACTIVATE):
        _refuse_written_about(ids, since=run.applied_at)
    _undo_staff(run)
    if not pupils.write_corrected(staged, prepared.corrected):
        raise _worked_on("un élève", "a été modifié depuis")
    students, accounts = Student.__table__.c, Account.__table__.c
    going = select(prepared.going_accounts.c.id)
    deleted = staged.delete(
        Student,
        prepared.going_pupils,
        students.is_active,
        or_(students.account_id.is_(None), students.account_id.in_(going)),
    )
    if deleted != len(prepared.created_ids):
        raise _worked_on("un élève", "a été modifié depuis")
    staged.update(Student, students.account_id == prepared.going_accounts.c.id, {"account_id": None})
    staged.delete(TeacherDivision, prepared.going_accounts, key="account_id")
    deleted = staged.delete(
        Account,
        prepared.going_accounts,
        accounts.is_active,
        accounts.activated_at.is_(None),
        accounts.consented_at.is_(None),
    )
    if deleted != prepared.account_count:
        raise _worked_on("un compte qu’il a ouvert", "a servi depuis")
    _undo_structure(staged, prepared, run)


def check_undoable(run: ImportRun | None, *, now: dt.datetime) -> ImportRun:
    """Return the last import applied, or raise `UndoImpossible` with the reason for which it stands; writes nothing.

    The reasons that reading gives: `run` is named and is another one, it was too long ago, an import is under way,
    somebody opened an account that it created or wrote of a pupil whom it created. Undoing finds the others.
    """
    last = _require_last(run, now=now)
    _refuse_opened_accounts(last)
    _refuse_records(last)
    return last


def _require_last(run: ImportRun | None, *, now: dt.datetime) -> ImportRun:
    """Return the last import applied, which must be `run` if one is given, as far as its own row shows."""
    last = find_last_applied()
    if run is not None and run.state is RunState.UNDONE:
        raise UndoImpossible("Cet import est déjà annulé.")
    if last is None or last.applied_at is None:
        raise UndoImpossible("Aucun import n’est à annuler.")
    if run is not None and run.id != last.id:
        raise UndoImpossible("Seul le dernier import appliqué peut être annulé, et celui-ci ne l’est pas.")
    if last.applied_at <= now - UNDO_PERIOD:
        raise UndoImpossible("Un import ne s’annule que pendant 7 jours : celui-ci est plus ancien.")
    pending = find_open_run()
    if pending is not None and pending.state is RunState.APPLYING:
        raise UndoImpossible("Un import est en cours dans cet établissement : attendez qu’il soit terminé.")
    return last


def describe_obstacle(run: ImportRun, *, now: dt.datetime) -> str:
    """Return why an import cannot be undone, as far as `check_undoable` shows, "" when it can."""
    try:
        check_undoable(run, now=now)
    except UndoImpossible as refusal:
        return refusal.message
    return ""


def request_undo(run: ImportRun, *, by: Actor, now: dt.datetime) -> Job | None:
    """Have a large import undone by a worker, and return its job; None for one that is undone before the answer.

    Raises `UndoImpossible`, `UndoUnderWay`, `ImportUnderWay`.
    """
    lock_imports_and_school()
    db.session.refresh(run)
    if is_being_undone(run):
        raise UndoUnderWay
    check_undoable(run, now=now)
    if not _is_large(run):
        return None
    job = jobs.enqueue(UNDO_JOB, {"run_id": run.id}, by=by, now=now)
    run.job_id = job.id
    db.session.flush()
    return job


def _is_large(run: ImportRun) -> bool:
    changes = select(ImportChange.id).where(ImportChange.run_id == run.id, ImportChange.is_selected)
    return db.session.scalar(changes.order_by(ImportChange.id).offset(AT_ONCE_CHANGES).limit(1)) is not None


def _list_matched(run: ImportRun) -> list[int]:
    """Return the pupils whose presence or identity the import corrected, by id."""
    return [
        change.object_id
        for page in pupils.list_corrected(run.id)
        for change in page
        if _MATCHING_FIELDS & change.changes.keys()
    ]


def _undo_staff(run: ImportRun) -> None:
    """Give the accounts that the import corrected what they had."""

    def changed() -> UndoImpossible:
        return _worked_on("un compte", "a changé depuis")

    given = {}
    for page in list_changes(run.id, "account", *_CORRECTED):
        wanted = select(Account).where(Account.id.in_([change.object_id for change in page]))
        accounts = {account.id: account for account in db.session.scalars(wanted)}
        for change in page:
            if change.object_id not in accounts:
                raise _worked_on("un compte", "n’existe plus")
            fields = {name: pair for name, pair in change.changes.items() if name not in (DIVISIONS, SERVICES)}
            set_fields(accounts[change.object_id], fields, direction="back", mismatch=changed)
            if DIVISIONS in change.changes:
                old, new = change.changes[DIVISIONS]
                given[change.object_id] = (new, old)
    set_divisions(given, division_ids(), changed)


def _check_accounts(page: Sequence[Row[Any]]) -> None:
    """Refuse once one of the accounts that the import created is not as it was imported."""
    ids = [change.object_id for change in page]
    accounts = {account.id: account for account in db.session.scalars(select(Account).where(Account.id.in_(ids)))}
    moved = _list_moved(page, ids)
    divisions: dict[int, list[str]] = {}
    for account_id, code in db.session.execute(
        select(TeacherDivision.account_id, Division.code)
        .join(Division, Division.id == TeacherDivision.division_id)
        .where(TeacherDivision.account_id.in_(ids))
    ):
        divisions.setdefault(account_id, []).append(code)
    for change in page:
        account = accounts.get(change.object_id)
        if account is None:
            raise _worked_on("un compte", "n’existe plus")
        fields = {name: new for name, (_old, new) in change.changes.items()}
        imported = fields.pop(DIVISIONS, [])
        fields["role_value"] = fields.pop("role")
        is_unchanged = all(getattr(account, name) == value for name, value in fields.items())
        same_divisions = account.role is not Role.TEACHER or sorted(divisions.get(account.id, [])) == sorted(imported)
        is_whose = account.role is not Role.STUDENT or account.id not in moved
        if not (is_unchanged and same_divisions and is_whose and account.is_active and account.consented_at is None):
            raise _worked_on(f"le compte {of_name(account.label)}", "a changé depuis")
    for account in accounts.values():
        db.session.expunge(account)


def _list_moved(page: Sequence[Row[Any]], ids: Sequence[int]) -> set[int]:
    """Return the accounts of pupils that do not name any more the pupil to whom the import opened them.

    A pupil is known by their number in SIECLE, by their name where they have none.
    """
    known = select(ImportChange.object_id, ImportChange.object_key, ImportChange.object_label).where(
        ImportChange.id.in_([change.id for change in page])
    )
    opened_to = {account_id: number or _words(label) for account_id, number, label in db.session.execute(known)}
    named = select(Student.account_id, Student.siecle_id, Student.first_name, Student.last_name).where(
        Student.account_id.in_(ids)
    )
    names = {
        account_id: number or _words(spoken_name(first_name, last_name))
        for account_id, number, first_name, last_name in db.session.execute(named)
    }
    return {account_id for account_id in ids if names.get(account_id) != opened_to.get(account_id)}


def _words(name: str) -> list[str]:
    """Return the words of a name, in whatever order and letters it was written."""
    return sorted(fold(name).split())


def _refuse_opened_accounts(run: ImportRun) -> None:
    """Refuse once somebody has opened an account that the import created."""
    for ids in list_object_ids(run.id, "account", ChangeAction.CREATE):
        opened = select(Account).where(Account.id.in_(ids), Account.activated_at.is_not(None)).order_by(Account.id)
        account = db.session.scalars(opened.limit(1)).first()
        if account is not None:
            raise _worked_on(f"le compte {of_name(account.label)}", "a été activé depuis")


def _refuse_records(run: ImportRun) -> None:
    for ids in list_object_ids(run.id, "student", ChangeAction.REACTIVATE):
        _refuse_written_about(ids, since=run.applied_at)
    for ids in list_object_ids(run.id, "student", ChangeAction.CREATE):
        _refuse_written_about(ids)


def _refuse_written_about(ids: Sequence[int], *, since: dt.datetime | None = None) -> None:
    """Refuse once somebody wrote a fiche, an évaluation or a bilan of a pupil whom the import created or reactivated.

    The sentence names nobody: who undoes an import may not know whose records there are.
    """
    if list_students_with_records(ids, since=since):
        raise _worked_on("un élève qu’il a apporté", "a depuis des fiches, des évaluations ou des bilans")


def _check_students(page: Sequence[Row[Any]], by_code: dict[str, int], account_ids: Set[int]) -> None:
    """Refuse once one of the pupils whom the import created is not as imported, but for an account that goes too."""
    ids = [change.object_id for change in page]
    students = {student.id: student for student in db.session.scalars(select(Student).where(Student.id.in_(ids)))}
    for change in page:
        student = students.get(change.object_id)
        if student is None:
            raise _worked_on("un élève", "n’existe plus")
        fields = {name: new for name, (_old, new) in change.changes.items()}
        fields["division_id"] = by_code.get(fields.pop("division"))
        is_unchanged = all(plain(getattr(student, name)) == value for name, value in fields.items())
        has_own_account = student.account_id is not None and student.account_id not in account_ids
        if not (is_unchanged and student.is_active) or has_own_account:
            raise _worked_on(
                f"le dossier {of_name(spoken_name(student.first_name, student.last_name))}", "a changé depuis"
            )
    for student in students.values():
        db.session.expunge(student)


def _check_structure(page: Sequence[Row[Any]], model: type[Any], noun: str) -> None:
    """Refuse once one of the divisions or courses that the import created is not as it was imported."""
    wanted = select(model).where(model.id.in_([change.object_id for change in page]))
    rows = {row.id: row for row in db.session.scalars(wanted)}
    for change in page:
        row = rows.get(change.object_id)
        if row is None:
            raise _worked_on(noun, "n’existe plus")
        if any(getattr(row, name) != new for name, (_old, new) in change.changes.items()):
            raise _worked_on(f"« {row.code} »", "a été modifié depuis")
    for row in rows.values():
        db.session.expunge(row)


def _undo_structure(staged: Staging, prepared: PreparedUndo, run: ImportRun) -> None:
    """Give divisions and courses what they had, and delete those that came."""
    for object_type, (model, noun) in _STRUCTURE.items():
        for page in list_changes(run.id, object_type, ChangeAction.CHANGE):
            for change in page:
                row = db.session.get(model, change.object_id)
                if row is None:
                    raise _worked_on(noun, "n’existe plus")
                changed = _worked_on(f"« {row.code} »", "a été modifié depuis")
                set_fields(row, change.changes, direction="back", mismatch=lambda error=changed: error)  # type: ignore[misc]
        db.session.flush()
        table, count = prepared.going_structure[object_type]
        if staged.delete(model, table) != count:
            raise _worked_on(noun, "n’existe plus")


def _worked_on(noun: str, what: str) -> UndoImpossible:
    return UndoImpossible(f"Cet import ne peut plus être annulé : {noun} {what}. Rien n’a été défait.")
