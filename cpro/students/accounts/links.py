"""Link an account of a pupil to its pupil, and unlink it.

An account gives access to the records of its pupil, so a link must not give them to the previous holder of the account:
at each change its sign-ins end, its unused codes are voided and its drafts deleted; an account that was ever activated
also loses its password and its e-mail address, and receives a new code. The head is notified each time.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from cpro.audit.operations import About, record
from cpro.core.drafts.models import Draft
from cpro.core.errors import Conflict, Forbidden, check_password_given
from cpro.core.formatting import spoken_name
from cpro.core.permissions import Actor, Permission
from cpro.extensions import db
from cpro.students.accounts import queries
from cpro.students.accounts.operations import account_names, check_may_receive
from cpro.students.models import Student
from cpro.users.errors import InactiveAccount
from cpro.users.models import Account
from cpro.users.operations import codes, rules
from cpro.users.operations.addresses import forget_address
from cpro.users.operations.audit import record_about
from cpro.users.operations.sign_ins import end_all_sign_ins


class NotAPupilsAccount(Forbidden):
    """The account is not a pupil's and cannot be linked."""

    message = "Seul un compte d’apprenant se relie à un élève."


class AlreadyLinked(Conflict):
    """The account is already linked to a pupil."""


class NotLinked(Conflict):
    """The account is not linked."""

    message = "Ce compte n’est relié à aucun élève : il n’y a rien à délier."


def was_ever_opened(account: Account) -> bool:
    """Return whether a password was ever chosen for an account: linking it then voids the password."""
    return account.password_hash is not None or account.activated_at is not None


def check_linkable(account: Account) -> None:
    """Raise an error unless an account can be linked: an active pupil's account that is not linked."""
    if not account.can(Permission.OWN_RECORDS):
        raise NotAPupilsAccount
    linked = queries.find_student_of(account.id)
    if linked is not None:
        raise AlreadyLinked(f"Ce compte est déjà relié à {queries.name_in_sentence(linked)}\u202f: déliez-le d’abord.")
    if not account.is_active:
        raise InactiveAccount(account.label)


def link_account(
    account: Account, student: Student, *, password_given: bool = False, by: Actor, now: datetime
) -> str | None:
    """Link an account to a pupil; return the new code to show once, or None for an account never activated.

    The account takes the pupil's names and keeps its login. Raises `NotAPupilsAccount`, `AlreadyLinked`,
    `InactiveAccount`, `PasswordNeeded` if the account had been opened, `DomainError` when the pupil already has an
    account or has left.
    """
    rules.lock(account)
    db.session.refresh(student)
    check_linkable(account)
    check_may_receive(student)
    opened, changes = was_ever_opened(account), _changes(account, student)
    if opened:
        check_password_given(password_given, "Pour relier ce compte, qui a déjà servi", by=by)
    for name, (_old, new) in changes.items():
        setattr(account, name, new)
    forget_address(account, now=now)
    account.password_hash = None
    _close(account, now)
    student.account_id = account.id
    try:
        db.session.flush()
    except IntegrityError as error:
        raise AlreadyLinked("Ce compte ou cet élève vient d’être relié par quelqu’un d’autre.") from error
    changes |= {"student": (None, _name_of(student)), **({"password_voided": (False, True)} if opened else {})}
    record_about(db.session(), queries.LINKED, account, by=by, now=now, changes=changes)
    return codes.create_code(db.session(), account, now=now) if opened else None


def unlink_account(account: Account, *, password_given: bool = False, by: Actor, now: datetime) -> None:
    """Unlink an account from its pupil: its sign-ins end, its unused codes are voided, it no longer opens any records.

    Raises `NotLinked`, `PasswordNeeded` if the account had been opened.
    """
    rules.lock(account)
    student = queries.find_student_of(account.id)
    if student is None:
        raise NotLinked
    if was_ever_opened(account):
        check_password_given(password_given, "Pour délier ce compte, qui a déjà servi", by=by)
    student.account_id = None
    _close(account, now)
    db.session.flush()
    record_about(
        db.session(), queries.UNLINKED, account, by=by, now=now, changes={"student": (_name_of(student), None)}
    )


def note_links_seen(*, by: Actor, now: datetime) -> int:
    """Record that a head has read the links made and undone so far; return how many were new."""
    unseen = len(queries.list_unseen_links())
    if unseen:
        record(
            queries.LINKS_SEEN,
            About("accounts", "", "comptes reliés à un élève"),
            by=by,
            now=now,
            changes={"links": (None, unseen)},
        )
    return unseen


def _close(account: Account, now: datetime) -> None:
    """Close everything that an account had open: sign-ins, unused codes, drafts."""
    end_all_sign_ins(db.session(), account)
    codes.void_codes(db.session(), [account.id], now=now)
    db.session.execute(delete(Draft).where(Draft.account_id == account.id))


def _changes(account: Account, student: Student) -> dict[str, tuple[Any, Any]]:
    """Return an account's columns that change with its pupil: names, and an address given by its earlier holder."""
    wanted = {**account_names(student), "email": ""}
    return {name: (getattr(account, name), new) for name, new in wanted.items() if getattr(account, name) != new}


def _name_of(student: Student) -> str:
    return spoken_name(student.first_name, student.last_name)
