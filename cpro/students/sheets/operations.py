"""Activation sheets of a division, of a role, of chosen people, with the division each belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cpro.core.formatting import plural
from cpro.core.permissions import Actor, Role
from cpro.students import queries
from cpro.students.accounts.queries import list_accounts_of_students
from cpro.users.models import Account
from cpro.users.operations.sheets import Drawn, draw_sheets


@dataclass(frozen=True)
class Target:
    """Whom sheets are for; one of these, or nobody."""

    account_ids: tuple[int, ...] = ()
    student_ids: tuple[int, ...] = ()
    division_id: int | None = None
    role: Role | None = None
    never_activated: bool = False


@dataclass(frozen=True)
class Batch:
    """The sheets drawn, and the code of the division of each account that has one."""

    drawn: Drawn
    divisions: Mapping[int, str]


def draw_target_sheets(target: Target, *, reset: bool = False, by: Actor, now: datetime) -> Batch:
    """Draw the sheets of a target; see `users.operations.sheets.draw_sheets`. Raises `NotFound` besides.

    Ids of nobody are left out, as another school's are.
    """
    accounts = list_target_accounts(target)
    drawn = draw_sheets(accounts, reset=reset, about=_label_of(target, len(accounts)), by=by, now=now)
    return Batch(drawn, queries.divisions_by_account([account.id for account in accounts]))


def list_target_accounts(target: Target) -> Sequence[Account]:
    """Return the accounts that a target names, in the order of their sheets. Raises `NotFound` for a division."""
    if target.account_ids:
        return queries.list_accounts(target.account_ids)
    if target.student_ids:
        return list_accounts_of_students(target.student_ids)
    if target.division_id is not None:
        return queries.list_accounts_of_division(queries.get_division(target.division_id).id)
    if target.role is not None:
        return queries.list_accounts_of_role(target.role)
    return queries.list_never_activated() if target.never_activated else []


def _label_of(target: Target, number: int) -> str:
    """Return how the journal names a target."""
    if target.division_id is not None:
        return f"division {queries.get_division(target.division_id).code}"
    if target.role is not None:
        return f"rôle {target.role.label}"
    if target.never_activated:
        return "comptes jamais activés"
    return plural(number, "compte choisi", "comptes choisis")
