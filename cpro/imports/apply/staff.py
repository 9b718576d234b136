"""The staff accounts that an import creates and corrects: teachers first, then heads.

Files never change any other role. Whether a further head must wait for the current one is checked under the lock of
the school, whatever the analysis said. Undoing deletes the accounts created with those of pupils (`apply.accounts`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import or_, select

from cpro.core.among import is_among
from cpro.core.formatting import of_name
from cpro.core.permissions import Permission, Role
from cpro.extensions import db
from cpro.imports.changes import DIVISIONS, SERVICES, Changes, Pair, backwards, new_values, set_fields
from cpro.imports.errors import AnalysisOutdated, WorkedOn
from cpro.imports.models import CORRECTING, ChangeAction, ImportChange, ImportRun
from cpro.imports.queries import list_division_ids, list_selected
from cpro.students.models import TeacherDivision
from cpro.users import roles
from cpro.users.models import Account
from cpro.users.operations import files

# --- Apply ---------------------------------------------------------------------------------------------------------


def write_teachers(run: ImportRun, logins: Mapping[int, str], now: dt.datetime) -> None:
    """Create and correct teachers' accounts, which wait for the head's approval if the head asked for it.

    Raises `AnalysisOutdated`.
    """
    changes = [each for each in _list_changes(run) if _role_of(each).can(Permission.PUPILS_EVALUATE)]
    _create([each for each in changes if each.action is ChangeAction.CREATE], logins, now)
    _correct([each for each in changes if each.action is not ChangeAction.CREATE], now)
    given = {each.object_id: each.changes[DIVISIONS] for each in changes if DIVISIONS in each.changes}
    _set_divisions(given, otherwise=lambda _id: AnalysisOutdated())


def write_heads(run: ImportRun, logins: Mapping[int, str], now: dt.datetime) -> None:
    """Create the accounts of heads, under the lock of the school; a further one waits for the current one."""
    for change in _list_changes(run):
        if change.action is ChangeAction.CREATE:
            _create([change], logins, now)
            given = {change.object_id: change.changes.get(DIVISIONS, Pair([], []))}
            _set_divisions(given, otherwise=lambda _id: AnalysisOutdated())


def _list_changes(run: ImportRun) -> Sequence[ImportChange]:
    """Return the staff changes, without the accounts already created: those that the import opens to pupils."""
    return db.session.scalars(
        select(ImportChange)
        .where(
            ImportChange.run_id == run.id,
            ImportChange.object_type == "account",
            ImportChange.is_selected,
            or_(ImportChange.action != ChangeAction.CREATE, ImportChange.object_id.is_(None)),
        )
        .order_by(ImportChange.id)
    ).all()


def _role_of(change: ImportChange) -> Role:
    """Return the role of the account that a change is about: only teachers' accounts are corrected."""
    if change.action is not ChangeAction.CREATE:
        return roles.TEACHER
    role: Role = change.changes["role"].new
    if not files.may_open(role):
        raise AnalysisOutdated
    return role


def _create(changes: Sequence[ImportChange], logins: Mapping[int, str], now: dt.datetime) -> None:
    """Open the accounts of people in a file, whatever the analysis said about consent."""
    accounts = []
    for change in changes:
        values = new_values(_fields_of(change.changes))
        role: Role = values.pop("role")
        accounts.append(
            files.open_account(
                {name: value for name, value in values.items() if name != "consent_needed"},
                role,
                login=logins[change.id],
                key=change.object_key or None,
                is_typed=_is_typed(change),
                now=now,
            )
        )
    db.session.add_all(accounts)
    db.session.flush()
    for change, account in zip(changes, accounts, strict=True):
        change.object_id = account.id
        change.changes = {
            **change.changes,
            "login": Pair(None, account.login),
            "consent_needed": Pair(None, account.consent_needed),
        }
    db.session.flush()


def _is_typed(change: ImportChange) -> bool:
    """Return whether the person comes from a table rather than a file of STS-Web."""
    return not change.object_key or change.object_key.startswith("table:")


def _correct(changes: Sequence[ImportChange], now: dt.datetime) -> None:
    """Correct teachers' accounts; files never change any other role."""
    accounts = _get_accounts([change.object_id for change in changes])
    for change in changes:
        account = accounts.get(change.object_id or 0)
        if account is None or not files.may_correct(account):
            raise AnalysisOutdated
        set_fields(account, _fields_of(change.changes), otherwise=AnalysisOutdated())
        if change.action is ChangeAction.REACTIVATE:
            files.require_new_consent(account, is_typed=_is_typed(change))
    db.session.flush()
    closed = [each.object_id for each in changes if each.action is ChangeAction.DEACTIVATE and each.object_id]
    files.close_accounts(closed, now=now)


# --- Undo ----------------------------------------------------------------------------------------------------------


def undo_staff(run: ImportRun) -> None:
    """Restore the old values of the accounts that the import corrected. Raises `WorkedOn`."""
    given: dict[int | None, Pair] = {}
    labels: dict[int | None, str] = {}
    for page in list_selected(run.id, "account", *CORRECTING):
        accounts = _get_accounts([change.object_id for change in page])
        for change in page:
            if change.object_id not in accounts:
                raise WorkedOn("un compte", "n’existe plus")
            account, undoing = accounts[change.object_id], backwards(change.changes)
            set_fields(account, _fields_of(undoing), otherwise=_changed_since(account.label))
            if DIVISIONS in undoing:
                given[account.id], labels[account.id] = undoing[DIVISIONS], account.label
    _set_divisions(given, otherwise=lambda account_id: _changed_since(labels[account_id]))


def _changed_since(label: str) -> WorkedOn:
    return WorkedOn(f"le compte {of_name(label)}", "a changé depuis")


# --- Both ----------------------------------------------------------------------------------------------------------


def _fields_of(changes: Changes) -> Changes:
    """Return the changes of the account itself; the file's own values are kept for comparison with the next file."""
    return {name: pair for name, pair in changes.items() if name not in (DIVISIONS, SERVICES)}


def _get_accounts(ids: Sequence[int | None]) -> dict[int, Account]:
    wanted = select(Account).where(is_among(Account.id, ids))
    return {account.id: account for account in db.session.scalars(wanted)} if ids else {}


def _set_divisions(given: Mapping[int | None, Pair], *, otherwise: Callable[[int | None], Exception]) -> None:
    """Set teachers' divisions, {account id: codes}; raises `otherwise` of one who no longer has the old ones."""
    by_code = list_division_ids()
    stored: dict[int, dict[int, TeacherDivision]] = {}
    ids = [id_ for id_ in given if id_ is not None]
    for row in (
        db.session.scalars(select(TeacherDivision).where(is_among(TeacherDivision.account_id, ids))) if ids else ()
    ):
        stored.setdefault(row.account_id, {})[row.division_id] = row
    for account_id, (old, new) in given.items():
        have = stored.get(account_id or 0, {})
        if have.keys() != {by_code.get(code) for code in old}:
            raise otherwise(account_id)
        wanted = {by_code[code] for code in new if code in by_code}
        for division_id in sorted(wanted - have.keys()):
            db.session.add(TeacherDivision(account_id=account_id, division_id=division_id))
        for division_id in have.keys() - wanted:
            db.session.delete(have[division_id])
    db.session.flush()
