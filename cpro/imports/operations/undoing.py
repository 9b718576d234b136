"""Undo the last import: everything it wrote goes back, or nothing once somebody worked on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from cpro.core import events
from cpro.core.formatting import of_name, spoken_name
from cpro.core.jobs import operations as jobs
from cpro.core.jobs.models import Job
from cpro.core.permissions import Actor, Role
from cpro.core.validators import fold
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.imports.analysis.services import DIVISIONS, SERVICES
from cpro.imports.models import UNDO_JOB, ChangeAction, ImportChange, ImportRun, RunState
from cpro.imports.operations.application import correct_students
from cpro.imports.operations.rows import division_ids, list_changes, list_object_ids, plain, set_divisions, set_fields
from cpro.imports.operations.runs import is_being_undone, record_about_run
from cpro.imports.queries import UNDO_PERIOD, find_last_applied, find_open_run, get_run
from cpro.imports.refusals import UndoImpossible, UndoUnderWay
from cpro.records.queries import students_with_records
from cpro.students.models import MEF, Division, Student, TeacherDivision
from cpro.users.models import Account

#: Changes undone before the answer: those of a large school, two seconds. A worker undoes more.
AT_ONCE_CHANGES = 5000
_CORRECTED = (ChangeAction.CHANGE, ChangeAction.REACTIVATE, ChangeAction.DEACTIVATE)
#: What makes pupils of two schools meet.
_MATCHING_FIELDS = frozenset({"ine", "is_active", "last_name", "usage_name", "first_name", "birth_date", "came_by"})


def undo_last(*, by: Actor, now: dt.datetime, run_id: int | None = None) -> ImportRun:
    """Undo the last import whose effect stands, which must be `run_id` where one is named, and return it.

    What it caused elsewhere is undone first by whoever listens to `import_undone`. Raises `UndoImpossible`, with the
    reason: one of those of `check_undoable`, or what it brought was worked on since.
    """
    establishment = lock_current_establishment()
    run = check_undoable(get_run(run_id) if run_id is not None else None, now=now)
    created_ids, student_ids = _list_matched_pupils(run)
    events.import_undone.send(
        establishment_id=establishment.id,
        run_id=run.id,
        student_ids=student_ids,
        created_ids=created_ids,
        applied_at=run.applied_at,
        by=by,
        now=now,
    )
    try:
        _undo_accounts(run)
        _undo_students(run)
        _undo_divisions_and_courses(run)
        db.session.flush()
    except IntegrityError as error:
        raise _worked_on("un dossier", "a servi depuis") from error
    run.state_value, run.undone_at = RunState.UNDONE.value, now
    record_about_run("undone", run, {"state": ("appliqué", "annulé")}, by=by, now=now)
    return run


def check_undoable(run: ImportRun | None, *, now: dt.datetime) -> ImportRun:
    """Return the last import applied, or raise `UndoImpossible` with the reason for which it stands; writes nothing.

    The reasons that reading tells: `run` is named and is another one, it was too long ago, an import is under way,
    somebody opened an account that it created or wrote of a pupil whom it brought. Undoing finds the others.
    """
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
    _refuse_opened_accounts(last)
    _refuse_records(last)
    return last


def tell_obstacle(run: ImportRun, *, now: dt.datetime) -> str:
    """Return why an import cannot be undone, as far as `check_undoable` tells, "" when it can."""
    try:
        check_undoable(run, now=now)
    except UndoImpossible as refusal:
        return refusal.message
    return ""


def undo_or_send(run: ImportRun, *, by: Actor, now: dt.datetime) -> Job | None:
    """Undo the last import, or have a large one undone by a worker, whose job is then returned.

    Raises `UndoImpossible`, `UndoUnderWay`.
    """
    lock_current_establishment()
    db.session.refresh(run)
    if is_being_undone(run):
        raise UndoUnderWay
    check_undoable(run, now=now)
    if not _is_large(run):
        undo_last(run_id=run.id, by=by, now=now)
        return None
    job = jobs.enqueue(UNDO_JOB, {"run_id": run.id}, by=by, now=now)
    run.job_id = job.id
    db.session.flush()
    return job


def _is_large(run: ImportRun) -> bool:
    changes = select(ImportChange.id).where(ImportChange.run_id == run.id, ImportChange.is_selected)
    return db.session.scalar(changes.order_by(ImportChange.id).offset(AT_ONCE_CHANGES).limit(1)) is not None


def _list_matched_pupils(run: ImportRun) -> tuple[list[int], list[int]]:
    """Return the pupils whom the import created, and all those whose presence or identity it changed, by id."""
    created = [id_ for ids in list_object_ids(run.id, "student", ChangeAction.CREATE) for id_ in ids]
    corrected = [
        change.object_id
        for page in list_changes(run.id, "student", *_CORRECTED)
        for change in page
        if _MATCHING_FIELDS & change.changes.keys()
    ]
    return created, [*created, *corrected]


def _undo_accounts(run: ImportRun) -> None:
    by_code = division_ids()
    for page in list_changes(run.id, "account", *_CORRECTED):
        for change in page:
            account = _existing(Account, change.object_id, "un compte")
            fields = dict(change.changes)
            divisions = fields.pop(DIVISIONS, None)
            fields.pop(SERVICES, None)
            set_fields(account, fields, direction="back", mismatch=lambda: _worked_on("un compte", "a changé depuis"))
            if divisions is not None:
                set_divisions(
                    account, divisions[1], divisions[0], by_code, lambda: _worked_on("un compte", "a changé depuis")
                )
    for page in list_changes(run.id, "account", ChangeAction.CREATE):
        _delete_accounts(page)


def _delete_accounts(page: Sequence[Row[Any]]) -> None:
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
        brought = fields.pop(DIVISIONS, [])
        fields["role_value"] = fields.pop("role")
        is_as_brought = all(getattr(account, name) == value for name, value in fields.items())
        same_divisions = account.role is not Role.TEACHER or sorted(divisions.get(account.id, [])) == sorted(brought)
        is_whose = account.role is not Role.STUDENT or account.id not in moved
        if not (is_as_brought and same_divisions and is_whose and account.is_active and account.consented_at is None):
            raise _worked_on(f"le compte {of_name(account.label)}", "a changé depuis")
    for account in accounts.values():
        db.session.expunge(account)
    _execute(update(Student).where(Student.account_id.in_(ids)).values(account_id=None))
    _execute(delete(TeacherDivision).where(TeacherDivision.account_id.in_(ids)))
    _execute(delete(Account).where(Account.id.in_(ids)))


def _list_moved(page: Sequence[Row[Any]], ids: Sequence[int]) -> set[int]:
    """Return the accounts of pupils that do not name any more the pupil to whom the import opened them.

    A pupil is known by their number in SIECLE, by their name where they have none.
    """
    told = select(ImportChange.object_id, ImportChange.object_key, ImportChange.object_label).where(
        ImportChange.id.in_([change.id for change in page])
    )
    opened_to = {account_id: number or _words(label) for account_id, number, label in db.session.execute(told)}
    named = select(Student.account_id, Student.siecle_id, Student.first_name, Student.last_name).where(
        Student.account_id.in_(ids)
    )
    names = {
        account_id: number or _words(f"{first_name} {last_name}")
        for account_id, number, first_name, last_name in db.session.execute(named)
    }
    return {account_id for account_id in ids if names.get(account_id) != opened_to.get(account_id)}


def _words(name: str) -> list[str]:
    """Return the words of a name, in whatever order and case it was written."""
    return sorted(fold(name).split())


def _undo_students(run: ImportRun) -> None:
    by_code = division_ids()
    for page in list_changes(run.id, "student", ChangeAction.CREATE):
        _delete_students(page, by_code)
    for page in list_changes(run.id, "student", *_CORRECTED):
        correct_students(
            page, by_code, direction="back", mismatch=lambda: _worked_on("un élève", "a été modifié depuis")
        )


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
    """Refuse once somebody wrote a fiche, an évaluation or a bilan of a pupil whom the import brought, or brought back.

    The sentence names nobody: who undoes an import may not know whose records there are.
    """
    if students_with_records(ids, since=since):
        raise _worked_on("un élève qu’il a apporté", "a depuis des fiches, des évaluations ou des bilans")


def _delete_students(page: Sequence[Row[Any]], by_code: dict[str, int]) -> None:
    ids = [change.object_id for change in page]
    students = {student.id: student for student in db.session.scalars(select(Student).where(Student.id.in_(ids)))}
    for change in page:
        student = students.get(change.object_id)
        if student is None:
            raise _worked_on("un élève", "n’existe plus")
        fields = {name: new for name, (_old, new) in change.changes.items()}
        fields["division_id"] = by_code.get(fields.pop("division"))
        is_as_brought = all(plain(getattr(student, name)) == value for name, value in fields.items())
        if not (is_as_brought and student.is_active and student.account_id is None):
            raise _worked_on(
                f"le dossier {of_name(spoken_name(student.first_name, student.last_name))}", "a changé depuis"
            )
    for student in students.values():
        db.session.expunge(student)
    _execute(delete(Student).where(Student.id.in_(ids)))


def _undo_divisions_and_courses(run: ImportRun) -> None:
    for model, object_type in ((Division, "division"), (MEF, "mef")):
        for change in db.session.scalars(
            select(ImportChange)
            .where(ImportChange.run_id == run.id, ImportChange.object_type == object_type)
            .order_by(ImportChange.id)
        ).all():
            row = _existing(model, change.object_id, f"« {change.object_label} »")
            told = f"« {change.object_label} »"
            if change.action is not ChangeAction.CREATE:
                set_fields(
                    row,
                    change.changes,
                    direction="back",
                    mismatch=lambda told=told: _worked_on(told, "a été modifié depuis"),  # type: ignore[misc]
                )
            elif any(getattr(row, name) != new for name, (_old, new) in change.changes.items()):
                raise _worked_on(told, "a été modifié depuis")
            else:
                db.session.delete(row)
        db.session.flush()


def _existing(model: type[Any], object_id: int | None, told: str) -> Any:
    row = db.session.get(model, object_id) if object_id is not None else None
    if row is None:
        raise _worked_on(told, "n’existe plus")
    return row


def _execute(statement: Any) -> None:
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _worked_on(told: str, what: str) -> UndoImpossible:
    return UndoImpossible(f"Cet import ne peut plus être annulé : {told} {what}. Rien n’a été défait.")
