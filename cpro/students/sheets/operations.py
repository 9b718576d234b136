"""Activation sheets of a division, or of chosen people, with the division each belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.students import queries
from cpro.students.models import Division
from cpro.users.operations.sheets import Drawn, draw_sheets


@dataclass(frozen=True)
class Batch:
    """The sheets drawn, and the code of the division of each account that has one."""

    drawn: Drawn
    divisions: Mapping[int, str]


def draw_division_sheets(division: Division, *, reset: bool = False, by: Actor, now: datetime) -> Batch:
    """Draw the sheets of the pupils of a division; see `users.operations.sheets.draw_sheets`."""
    accounts = queries.list_accounts_of_division(division.id)
    drawn = draw_sheets(accounts, reset=reset, about=f"division {division.code}", by=by, now=now)
    return Batch(drawn, {account.id: division.code for account in accounts})


def draw_chosen_sheets(account_ids: Sequence[int], *, reset: bool = False, by: Actor, now: datetime) -> Batch:
    """Draw the sheets of chosen accounts of the school; ids of none are left out, as another school's are."""
    accounts = queries.list_accounts(account_ids)
    about = plural(len(accounts), "compte choisi", "comptes choisis")
    drawn = draw_sheets(accounts, reset=reset, about=about, by=by, now=now)
    return Batch(drawn, queries.divisions_by_account([account.id for account in accounts]))
