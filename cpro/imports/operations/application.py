"""Write what an import proposes: one short transaction, all of it or nothing.

A pupil who leaves keeps their account: what is theirs is frozen, and they may still export it (product.md §6 and §7).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, inspect, select, true, update
from sqlalchemy.exc import IntegrityError

from cpro.core import events, tenancy
from cpro.core.formatting import person_name
from cpro.core.permissions import Actor, Role
from cpro.core.validators import fold
from cpro.establishments.models import Establishment
from cpro.establishments.queries import lock_current_establishment
from cpro.extensions import db
from cpro.imports.admission import require_may_import
from cpro.imports.analysis.services import DIVISIONS, SERVICES
from cpro.imports.models import ChangeAction, ImportChange, ImportRun, RunKind, RunState
from cpro.imports.operations.rows import division_ids, list_changes, set_divisions, set_fields, values_to_set
from cpro.imports.operations.runs import check_confirmations, close_run, record_about_run
from cpro.imports.queries import fingerprint_of_data
from cpro.imports.refusals import AnalysisOutdated, NotToApply
from cpro.students.accounts.operations import OpenedAccount, write_accounts
from cpro.students.models import MEF, Division, Student, search_key_of
from cpro.users.models import Account
from cpro.users.operations import codes, rules
from cpro.users.operations.logins import find_taken_logins, free_login, propose_login
from cpro.users.operations.sign_ins import end_all_sign_ins

_NAMES_IN_ORDER = ("last_name", "first_name", "usage_name")
_NAMES = frozenset(_NAMES_IN_ORDER)


def apply_run(
    run: ImportRun, *, confirmations: Sequence[str], today: dt.date, by: Actor, now: dt.datetime
) -> dict[str, Any]:
    """Write an analysed import and return its figures; `today` is the school's day.

    Raises `NotToApply`, `GateClosed`, `ConfirmationMissing`, `AnalysisOutdated` when the data changed since the
    analysis.
    """
    establishment = lock_current_establishment()
    db.session.refresh(run)
    if run.state not in (RunState.ANALYSED, RunState.APPLYING):
        raise NotToApply
    require_may_import(establishment, by=by)
    check_confirmations(run, confirmations)
    if run.fingerprint != fingerprint_of_data(today):
        raise AnalysisOutdated
    accounts_opened = _write(run, establishment, now)
    run.confirmations_given, run.applied_at = list(confirmations), now
    run.counts = {**run.counts, "accounts_opened": accounts_opened}
    close_run(run, RunState.APPLIED)
    if establishment.uai_locked_at is None:
        establishment.uai_locked_at = now
    events.import_applied.send(establishment_id=establishment.id, run_id=run.id, by=by, now=now)
    record_about_run("applied", run, _told(run.counts), by=by, now=now)
    return run.counts


def _write(run: ImportRun, establishment: Establishment, now: dt.datetime) -> int:
    """Write every selected change; return how many accounts of pupils were opened."""
    try:
        _write_courses_and_divisions(run)
        _correct_students(run)
        _create_students(run, now)
        _write_accounts(run, establishment, now)
        return _open_student_accounts(run, now) if run.opens_student_accounts else 0
    except IntegrityError as error:
        # Somebody who took no lock was faster: a number or a login is taken.
        raise AnalysisOutdated from error


def _write_courses_and_divisions(run: ImportRun) -> None:
    for model, object_type in ((MEF, "mef"), (Division, "division")):
        for page in list_changes(run.id, object_type, ChangeAction.CREATE):
            rows = ({name: new for name, (_old, new) in change.changes.items()} for change in page)
            tenancy.bulk_insert(db.session(), model, rows)
        _note_who_was_created(run, object_type, model, model.code)
        for page in list_changes(run.id, object_type, ChangeAction.CHANGE):
            for change in page:
                stored = db.session.get(model, change.object_id)
                if stored is None:
                    raise AnalysisOutdated
                set_fields(stored, change.changes, direction="forth", mismatch=AnalysisOutdated)
    db.session.flush()


def _note_who_was_created(run: ImportRun, object_type: str, model: type[Any], key: Any) -> None:
    """Write in the changes the ids of the objects they created, found by what the file calls them."""
    created = (
        select(model.id)
        .where(model.establishment_id == ImportChange.establishment_id, key == ImportChange.object_key)
        .scalar_subquery()
    )
    db.session.execute(
        update(ImportChange)
        .where(
            ImportChange.run_id == run.id,
            ImportChange.object_type == object_type,
            ImportChange.action_value == ChangeAction.CREATE.value,
        )
        .values(object_id=created),
        execution_options={"synchronize_session": False},
    )


def _correct_students(run: ImportRun) -> None:
    by_code = division_ids()
    actions = (ChangeAction.CHANGE, ChangeAction.REACTIVATE, ChangeAction.DEACTIVATE)
    for page in list_changes(run.id, "student", *actions):
        correct_students(page, by_code, direction="forth", mismatch=AnalysisOutdated)


def correct_students(
    page: Sequence[Row[Any]], by_code: dict[str, int], *, direction: str, mismatch: Callable[[], Exception]
) -> None:
    """Give pupils their new values ("forth") or their old ones ("back").

    Raises `mismatch()` when one is not as the change says.
    """
    columns = [getattr(Student, column.key) for column in inspect(Student).column_attrs]
    wanted = select(*columns).where(Student.id.in_([change.object_id for change in page]))
    students = {student.id: student for student in db.session.execute(wanted)}
    rows = []
    for change in page:
        student = students.get(change.object_id)
        if student is None:
            raise mismatch()
        fields = dict(change.changes)
        if "division" in fields:
            old, new = fields.pop("division")
            fields["division_id"] = [by_code.get(old), by_code.get(new)]
        values = values_to_set(student, fields, direction=direction, mismatch=mismatch)
        rows.append({"id": student.id, **values, **_search_key_of(student, values)})
    # Rows of the same fields side by side are sent together.
    tenancy.bulk_update(db.session(), Student, sorted(rows, key=lambda row: (*row,)))


def _search_key_of(student: Row[Any], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the search key of a pupil whose name changes: no listener sees rows written in bulk."""
    if not _NAMES & values.keys():
        return {}
    last_name, first_name, usage_name = (values.get(name, getattr(student, name)) for name in _NAMES_IN_ORDER)
    return {"search_key": search_key_of(last_name, first_name, usage_name)}


def _create_students(run: ImportRun, now: dt.datetime) -> None:
    by_code = division_ids()
    for page in list_changes(run.id, "student", ChangeAction.CREATE):
        rows = (_new_student(change.changes, by_code, now) for change in page)
        if run.kind is RunKind.TABLE:
            _insert_one_by_one(page, rows)
        else:
            tenancy.bulk_insert(db.session(), Student, rows)
    if run.kind is RunKind.TABLE:
        return
    _note_who_was_created(run, "student", Student, Student.siecle_id)


def _insert_one_by_one(page: Sequence[Row[Any]], rows: Iterable[dict[str, Any]]) -> None:
    """Write pupils of a table, who may have no number to be found by afterwards, and note who each became."""
    students = [Student(**row) for row in rows]
    db.session.add_all(students)
    db.session.flush()
    became = [{"id": change.id, "object_id": student.id} for change, student in zip(page, students, strict=True)]
    tenancy.bulk_update(db.session(), ImportChange, became)
    for student in students:
        db.session.expunge(student)


def _new_student(changes: dict[str, Any], by_code: dict[str, int], now: dt.datetime) -> dict[str, Any]:
    values = {name: new for name, (_old, new) in changes.items()}
    born = values.get("birth_date")
    usage_name = values.get("usage_name", "")
    return {
        "last_name": values["last_name"],
        "usage_name": usage_name,
        "first_name": values["first_name"],
        "birth_date": dt.date.fromisoformat(born) if born else None,
        "ine": values.get("ine"),
        "siecle_id": values.get("siecle_id"),
        "local_id": values.get("local_id"),
        "came_by": values["came_by"],
        "mef_code": values.get("mef_code", ""),
        "division_id": by_code[values["division"]],
        "is_active": True,
        "search_key": search_key_of(values["last_name"], values["first_name"], usage_name),
        "created_at": now,
    }


def _write_accounts(run: ImportRun, establishment: Establishment, now: dt.datetime) -> None:
    by_code = division_ids()
    for change in db.session.scalars(
        select(ImportChange)
        .where(ImportChange.run_id == run.id, ImportChange.object_type == "account", ImportChange.is_selected)
        .order_by(ImportChange.id)
    ).all():
        fields = dict(change.changes)
        divisions = fields.pop(DIVISIONS, None)
        fields.pop(SERVICES, None)  # what the file told, kept for the next one to be compared with
        if change.action is ChangeAction.CREATE:
            account = _create_account(change, fields, establishment, now)
        else:
            account = _correct_account(change, fields, now)
        if divisions is not None:
            set_divisions(account, divisions[0], divisions[1], by_code, AnalysisOutdated)
    db.session.flush()


def _create_account(
    change: ImportChange, fields: dict[str, Any], establishment: Establishment, now: dt.datetime
) -> Account:
    """Open an account of somebody of STS-Web, without a code; a further head waits for the one in place.

    Whether one is in place is asked now, under the lock, whatever the analysis said.
    """
    values = {name: new for name, (_old, new) in fields.items()}
    role = Role(values.pop("role"))
    if role not in (Role.TEACHER, Role.HEAD):
        raise AnalysisOutdated
    values["consent_needed"] = rules.needs_consent(role)
    base = propose_login(values["first_name"], values["last_name"])
    login = free_login(find_taken_logins(db.session(), establishment.id, base), base)
    account = Account(role_value=role.value, login=login, sts_key=change.object_key or None, created_at=now, **values)
    db.session.add(account)
    db.session.flush()
    change.object_id = account.id
    change.changes = {**change.changes, "login": (None, login), "consent_needed": (None, account.consent_needed)}
    return account


def _correct_account(change: ImportChange, fields: dict[str, Any], now: dt.datetime) -> Account:
    """Correct the account of a teacher; no other role is ever touched by a file."""
    account = db.session.get(Account, change.object_id)
    if account is None or account.role is not Role.TEACHER:
        raise AnalysisOutdated
    set_fields(account, fields, direction="forth", mismatch=AnalysisOutdated)
    if change.action is ChangeAction.DEACTIVATE:
        codes.void_codes(db.session(), [account.id], now=now)
        end_all_sign_ins(db.session(), account)
    return account


def _open_student_accounts(run: ImportRun, now: dt.datetime) -> int:
    """Open an account to each active pupil who has none, without a code; note each in the import; return how many."""

    def note(page: Sequence[OpenedAccount]) -> None:
        tenancy.bulk_insert(db.session(), ImportChange, (_account_change(run, each) for each in page))

    return write_accounts(true(), now=now, on_page=note)


def _account_change(run: ImportRun, opened: OpenedAccount) -> dict[str, Any]:
    student = opened.student
    label = person_name(student.last_name, student.first_name)
    return {
        "run_id": run.id,
        "object_type": "account",
        "object_id": opened.account_id,
        "object_key": student.siecle_id or "",
        "object_label": label,
        "search_key": fold(label),
        "action_value": ChangeAction.CREATE.value,
        "is_selected": True,
        "changes": {"role": (None, Role.STUDENT.value), "login": (None, opened.login)},
    }


def _told(counts: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the figures as one line of the journal holds them: those that are not nought."""
    told = {
        f"{family}_{name}": (None, number)
        for family in ("students", "staff")
        for name, number in counts[family].items()
        if number
    }
    if counts["accounts_opened"]:
        told["accounts_opened"] = (None, counts["accounts_opened"])
    return told
