"""The accounts that an import creates: opened to pupils who have none; deleted with those of the staff when undone.

They are staged first, then written at once, without a code; staff logins are chosen here too, before those of pupils.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Integer, Row, String, Table, literal, select

from cpro.core.among import is_among
from cpro.core.formatting import of_name, person_name, spoken_name
from cpro.core.permissions import Permission
from cpro.core.staging import BATCH, Staging
from cpro.core.validators import fold
from cpro.extensions import db
from cpro.imports.changes import DIVISIONS, creating, new_values
from cpro.imports.errors import WorkedOn
from cpro.imports.models import CORRECTING, ChangeAction, ImportChange, ImportRun
from cpro.imports.queries import list_selected, list_selected_ids
from cpro.students.accounts.operations import account_names, new_account
from cpro.students.models import Division, Student, TeacherDivision
from cpro.users.models import Account
from cpro.users.operations.logins import free_login, propose_login
from cpro.users.roles import PUPIL

_CHOSEN_BY = frozenset({"last_name", "first_name", "usage_name", "is_active"})
_COPIED = ("login", "last_name", "first_name", "search_key")


class _Named(NamedTuple):
    """What the name of a pupil's account is made from."""

    first_name: str
    last_name: str
    usage_name: str


@dataclass
class Opened:
    """The accounts that an import opens to pupils, in a temporary table; None if it opens none."""

    table: Table | None
    count: int = 0
    #: how many belong to pupils already in the school
    linked: int = 0


class Opener:
    """Choose the logins of the accounts that an import opens, staff first, and stage those of pupils."""

    def __init__(self, staged: Staging, run: ImportRun, now: dt.datetime) -> None:
        self._staged, self._run, self._now = staged, run, now
        self._taken = set(db.session.scalars(select(Account.login)))
        self._pending: list[dict[str, Any]] = []
        self._ids: Iterator[int] = iter(())
        #: {id of the change: login} of the staff to create
        self.logins = {
            change.id: self._login_of(**{name: change.changes[name].new for name in ("first_name", "last_name")})
            for page in list_selected(run.id, "account", ChangeAction.CREATE)
            for change in page
        }
        self.opened = Opened(_new_table(staged) if run.opens_student_accounts else None)

    def open_to_present(self, heartbeat: Callable[[], None]) -> None:
        """Stage an account for each existing pupil without one who stays or comes back, in the order of their ids."""
        if self.opened.table is None:
            return
        changed = self._list_changed()
        for page in _without_account():
            heartbeat()
            for pupil in page:
                values = {**pupil._mapping, **changed.get(pupil.id, {})}
                if values["is_active"]:
                    self._prepare(values, student_id=pupil.id)
                    self.opened.linked += 1

    def open_to_new(self, values: Mapping[str, Any]) -> int | None:
        """Stage an account for a pupil that the import creates; return its reserved number, None if none is opened."""
        return None if self.opened.table is None else self._prepare(values, student_id=None)

    def finish(self) -> Opened:
        """Return everything that was staged."""
        self._flush()
        return self.opened

    def _list_changed(self) -> dict[int, dict[str, Any]]:
        """Return the import's changes to the names and the presence of pupils, by id."""
        changed = {}
        for page in list_selected(self._run.id, "student", *CORRECTING):
            for change in page:
                if _CHOSEN_BY & change.changes.keys():
                    changed[change.object_id] = new_values(change.changes)
        return changed

    def _login_of(self, first_name: str, last_name: str) -> str:
        login = free_login(self._taken, propose_login(first_name, last_name))
        self._taken.add(login)
        return login

    def _prepare(self, values: Mapping[str, Any], *, student_id: int | None) -> int:
        pupil = _Named(values["first_name"], values["last_name"], values["usage_name"])
        login = self._login_of(**account_names(pupil))
        account = new_account(pupil, login, self._now)
        label = person_name(pupil.last_name, pupil.first_name)
        id_ = self._next_id()
        self._pending.append(
            {
                "id": id_,
                "student_id": student_id,
                **{name: account[name] for name in _COPIED},
                "object_key": values["siecle_id"] or "",
                "object_label": label,
                "label_key": fold(label),
                "changes": creating({"role": PUPIL, "login": login}),
            }
        )
        if len(self._pending) >= BATCH:
            self._flush()
        return id_

    def _next_id(self) -> int:
        found = next(self._ids, None)
        if found is None:
            self._ids = iter(self._staged.reserve_ids(Account, BATCH))
            found = next(self._ids)
        return found

    def _flush(self) -> None:
        if self.opened.table is not None and self._pending:
            self.opened.count += self._staged.fill(self.opened.table, self._pending)
            self._pending = []


def insert_opened(staged: Staging, opened: Opened, *, now: dt.datetime) -> bool:
    """Insert the staged accounts; return whether all were inserted. Call it before the pupils are inserted."""
    if opened.table is None:
        return True
    accounts = opened.table.c
    written = staged.insert(
        Account,
        select(
            (accounts.id + staged.base(Account)).label("id"),
            *(accounts[name] for name in _COPIED),
            literal(PUPIL, Account.__table__.c.role.type).label("role"),
            literal(now, Account.__table__.c.created_at.type).label("created_at"),
        ).order_by(accounts.id),
    )
    return written == opened.count


def link_opened(staged: Staging, run: ImportRun, opened: Opened) -> bool:
    """Link the written accounts to the pupils already there, and record them in the changes of the import.

    Return whether each of these pupils still had none. Call it after the corrections, so that all of them are present.
    """
    if opened.table is None:
        return True
    accounts, pupils = opened.table.c, Student.__table__.c
    linked = staged.update(
        Student,
        (pupils.id == accounts.student_id) & pupils.is_active,
        {"account_id": accounts.id + staged.base(Account)},
        same={"account_id": None},
    )
    staged.insert(
        ImportChange,
        select(
            literal(run.id).label("run_id"),
            literal("account").label("object_type"),
            (accounts.id + staged.base(Account)).label("object_id"),
            accounts.object_key,
            accounts.object_label,
            accounts.label_key.label("search_key"),
            literal(ChangeAction.CREATE, ImportChange.__table__.c.action_value.type).label("action_value"),
            literal(True).label("is_selected"),
            accounts.changes,
        ).order_by(accounts.id),
    )
    return linked == opened.linked


def _new_table(staged: Staging) -> Table:
    columns = {name: Account.__table__.c[name].type for name in _COPIED}
    return staged.table(
        "accounts",
        "student_id",
        id=Integer(),
        student_id=Integer(),
        object_key=String(),
        object_label=String(),
        label_key=String(),
        changes=ImportChange.__table__.c.changes.type,
        **columns,
    )


def _without_account() -> Iterator[Sequence[Any]]:
    columns = (
        Student.id,
        Student.last_name,
        Student.usage_name,
        Student.first_name,
        Student.siecle_id,
        Student.is_active,
    )
    after = 0
    while page := db.session.execute(
        select(*columns).where(Student.account_id.is_(None), Student.id > after).order_by(Student.id).limit(BATCH)
    ).all():
        after = page[-1].id
        yield page


# --- Undo ------------------------------------------------------------------------------------------------------------


@dataclass
class Going:
    """The accounts that an import created, of pupils and staff, to be deleted with it: their ids and number."""

    table: Table
    count: int = 0


def list_created(run: ImportRun) -> set[int]:
    """Return the ids of the accounts that the import created."""
    return {id_ for ids in list_selected_ids(run.id, "account", ChangeAction.CREATE) for id_ in ids}


def stage_going(staged: Staging, run: ImportRun, *, heartbeat: Callable[[], None]) -> Going:
    """Stage the deletion of the accounts created. Raises `WorkedOn`."""
    going = Going(staged.table("going", id=Integer()))
    for page in list_selected(run.id, "account", ChangeAction.CREATE):
        heartbeat()
        _check_unchanged(page)
        going.count += staged.fill(going.table, ({"id": change.object_id} for change in page))
    return going


def delete_created(staged: Staging, going: Going) -> None:
    """Detach the staged accounts from their pupils and divisions, and delete them. Raises `WorkedOn`."""
    accounts = Account.__table__.c
    staged.update(Student, Student.__table__.c.account_id == going.table.c.id, {"account_id": None})
    staged.delete(TeacherDivision, going.table, key="account_id")
    deleted = staged.delete(
        Account,
        going.table,
        accounts.is_active,
        accounts.activated_at.is_(None),
        accounts.consented_at.is_(None),
    )
    if deleted != going.count:
        raise WorkedOn("un compte qu’il a ouvert", "a servi depuis")


def refuse_opened(run: ImportRun) -> None:
    """Raise `WorkedOn` if an account that the import created was activated."""
    for ids in list_selected_ids(run.id, "account", ChangeAction.CREATE):
        opened = (
            select(Account).where(is_among(Account.id, ids), Account.activated_at.is_not(None)).order_by(Account.id)
        )
        account = db.session.scalars(opened.limit(1)).first()
        if account is not None:
            raise WorkedOn(f"le compte {of_name(account.label)}", "a été activé depuis")


def _check_unchanged(page: Sequence[Row[Any]]) -> None:
    """Raise `WorkedOn` if one of the accounts that the import created has changed since."""
    ids = [change.object_id for change in page]
    accounts = {account.id: account for account in db.session.scalars(select(Account).where(is_among(Account.id, ids)))}
    moved = _list_moved(page, ids)
    divisions: dict[int, list[str]] = {}
    for account_id, code in db.session.execute(
        select(TeacherDivision.account_id, Division.code)
        .join(Division, Division.id == TeacherDivision.division_id)
        .where(is_among(TeacherDivision.account_id, ids))
    ):
        divisions.setdefault(account_id, []).append(code)
    for change in page:
        account = accounts.get(change.object_id)
        if account is None:
            raise WorkedOn("un compte", "n’existe plus")
        fields = new_values(change.changes)
        imported = fields.pop(DIVISIONS, [])
        is_unchanged = all(getattr(account, name) == value for name, value in fields.items())
        teaches = account.can(Permission.PUPILS_EVALUATE)
        same_divisions = not teaches or sorted(divisions.get(account.id, [])) == sorted(imported)
        is_whose = not account.can(Permission.OWN_RECORDS) or account.id not in moved
        if not (is_unchanged and same_divisions and is_whose and account.is_active and account.consented_at is None):
            raise WorkedOn(f"le compte {of_name(account.label)}", "a changé depuis")
    for account in accounts.values():
        db.session.expunge(account)


def _list_moved(page: Sequence[Row[Any]], ids: Sequence[int]) -> set[int]:
    """Return the accounts of pupils that no longer name the pupil to whom the import opened them.

    A pupil is identified by their number in SIECLE, or by name if they have none.
    """
    known = select(ImportChange.object_id, ImportChange.object_key, ImportChange.object_label).where(
        is_among(ImportChange.id, [change.id for change in page])
    )
    opened_to = {account_id: number or _words(label) for account_id, number, label in db.session.execute(known)}
    named = select(Student.account_id, Student.siecle_id, Student.first_name, Student.last_name).where(
        is_among(Student.account_id, ids)
    )
    names = {
        account_id: number or _words(spoken_name(first_name, last_name))
        for account_id, number, first_name, last_name in db.session.execute(named)
    }
    return {account_id for account_id in ids if names.get(account_id) != opened_to.get(account_id)}


def _words(name: str) -> list[str]:
    """Return the words of a name, ignoring order, case and accents."""
    return sorted(fold(name).split())
