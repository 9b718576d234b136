"""Activation sheets of a division, of a role or of chosen people, with each person's division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cpro.core.formatting import plural
from cpro.core.permissions import Actor, Role
from cpro.core.ticked_rows import check_ticked_rows
from cpro.students import queries
from cpro.students.accounts.queries import list_accounts_of_students
from cpro.students.credential_sheets.kept import keep_document
from cpro.students.credential_sheets.models import KeptSheets
from cpro.students.several import list_students
from cpro.users.models import Account
from cpro.users.operations.credential_sheets import (
    Plan,
    activate_credential_sheets,
    left_out_sentence,
    plan_credential_sheets,
)


@dataclass(frozen=True)
class Target:
    """The people whom sheets are for: at most one of these criteria."""

    account_ids: tuple[int, ...] = ()
    student_ids: tuple[int, ...] = ()
    division_id: int | None = None
    role: Role | None = None
    never_activated: bool = False
    #: those among them who have no valid code
    without_code: bool = False


@dataclass(frozen=True)
class Batch:
    """Planned sheets, the label of their people, and the code of the division of each account that has one."""

    plan: Plan
    about: str
    divisions: Mapping[int, str]


def plan_target_sheets(target: Target, *, reset: bool = False, by: Actor, now: datetime) -> Batch:
    """Plan the sheets of a target. Raises as `list_target_accounts` and `plan_credential_sheets` do."""
    accounts = list_target_accounts(target, now=now)
    plan = plan_credential_sheets(accounts, reset=reset, by=by, now=now)
    divisions = queries.divisions_by_account([account.id for account in accounts])
    return Batch(plan, _label_of(target, len(accounts)), divisions)


def create_batch_documents(
    batch: Batch,
    documents: Mapping[str, bytes],
    *,
    file_format: str,
    key: str,
    sign_in_id: int,
    password_given: bool = False,
    by: Actor,
    now: datetime,
) -> KeptSheets:
    """Store the codes of a batch and the documents that show them. Raises as `activate_credential_sheets` does."""
    activate_credential_sheets(batch.plan, about=batch.about, password_given=password_given, by=by, now=now)
    return keep_document(
        documents,
        key=key,
        sign_in_id=sign_in_id,
        file_format=file_format,
        about=batch.about,
        account_ids=[sheet.account_id for sheet in batch.plan.sheets],
        left_out=left_out_sentence(batch.plan),
        now=now,
    )


def list_target_accounts(target: Target, *, now: datetime) -> Sequence[Account]:
    """Return the accounts that a target names, in the order of their sheets.

    Raises `NotFound` for a division, `NoSuchRow` for people ticked in a list.
    """
    if target.account_ids:
        accounts = queries.list_accounts(target.account_ids)
        check_ticked_rows(len(accounts), target.account_ids)
        return accounts
    if target.student_ids:
        list_students(target.student_ids)
        return list_accounts_of_students(target.student_ids)
    if target.division_id is not None:
        return queries.list_accounts_of_division(queries.get_division(target.division_id).id)
    if target.role is not None:
        return queries.list_accounts_of_role(target.role)
    if target.without_code:
        return queries.list_without_code(now)
    return queries.list_never_activated() if target.never_activated else []


def _label_of(target: Target, number: int) -> str:
    """Return the label of a target in the journal."""
    if target.division_id is not None:
        return f"division {queries.get_division(target.division_id).code}"
    if target.role is not None:
        return f"rôle {target.role.label}"
    if target.without_code:
        return "comptes sans code valable"
    if target.never_activated:
        return "comptes jamais activés"
    return plural(number, "compte choisi", "comptes choisis")
