"""Set the divisions of teachers when their account is created or updated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from cpro.core.errors import DomainError
from cpro.core.permissions import Actor, Permission, role_can
from cpro.extensions import db
from cpro.students import queries
from cpro.students.accounts import operations as accounts
from cpro.students.accounts.queries import find_student_of
from cpro.students.models import TeacherDivision
from cpro.users.models import Account
from cpro.users.operations import manual, teachers


def create_user(
    values: Mapping[str, str],
    *,
    division_ids: Collection[int] = (),
    student_id: int | None = None,
    confirmed: bool = False,
    by: Actor,
    now: datetime,
) -> Account:
    """Create the account typed in a form: a teacher's with its divisions, a pupil's with its pupil (`student_id`).

    `confirmed`: see `manual.create_manual_account`.

    Raises `DomainError` on `divisions` for an unknown division or a role other than teacher, on `student` for a role
    other than pupil, and the errors of `manual.create_manual_account` and `accounts.operations.create_pupil_account`.
    """
    if role_can(values.get("role", ""), Permission.OWN_RECORDS):
        if division_ids:
            raise DomainError("Seul un enseignant a des divisions.", field="divisions")
        return accounts.create_pupil_account(values, student_id, by=by, now=now)
    if student_id is not None:
        raise DomainError("Seul un compte d’apprenant est celui d’un élève.", field="student")
    return manual.create_manual_account(
        values,
        confirmed=confirmed,
        by=by,
        now=now,
        alongside=lambda account: _set_divisions(account, division_ids, by=by),
    )


def update_user(
    account: Account,
    values: Mapping[str, str],
    *,
    division_ids: Collection[int] | None = None,
    opened_on: str | None = None,
    by: Actor,
    now: datetime,
) -> manual.Changes:
    """Update an account and its divisions (None keeps them) and return what changed; see `manual.update_account`.

    An account that is no longer a teacher's loses its divisions; a pupil's account has the pupil's names.
    """
    if account.can(Permission.OWN_RECORDS) and {"last_name", "first_name"} & values.keys():
        student = find_student_of(account.id)
        if student is not None:
            accounts.check_names(values, student)

    def alongside(corrected: Account) -> Mapping[str, tuple[str, str]]:
        if not corrected.can(Permission.PUPILS_EVALUATE):
            return _set_divisions(corrected, (), by=by)
        return {} if division_ids is None else _set_divisions(corrected, division_ids, by=by)

    return manual.update_account(account, values, opened_on=opened_on, by=by, now=now, alongside=alongside)


def _set_divisions(account: Account, division_ids: Collection[int], *, by: Actor) -> Mapping[str, tuple[str, str]]:
    """Set the divisions of a teacher; return the change, as codes, or nothing. The head is notified of those added."""
    wanted = set(division_ids)
    if wanted and not account.can(Permission.PUPILS_EVALUATE):
        raise DomainError("Seul un enseignant a des divisions.", field="divisions")
    known = {division.id: division.code for division in queries.list_divisions()}
    if not wanted <= known.keys():
        raise DomainError("Une des divisions choisies n’existe plus : choisissez à nouveau.", field="divisions")
    stored = {row.division_id: row for row in queries.list_teacher_divisions(account.id)}
    if wanted == stored.keys():
        return {}
    for division_id in wanted - stored.keys():
        db.session.add(TeacherDivision(account_id=account.id, division_id=division_id))
    for division_id in stored.keys() - wanted:
        db.session.delete(stored[division_id])
    db.session.flush()
    if wanted - stored.keys():
        teachers.mark_unseen_after_divisions(account, by=by)
    return {"divisions": (_codes(known, stored), _codes(known, wanted))}


def _codes(known: Mapping[int, str], division_ids: Collection[int]) -> str:
    return ", ".join(sorted(known[division_id] for division_id in division_ids))
