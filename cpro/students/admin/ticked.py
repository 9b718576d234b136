"""The actions on the accounts ticked in their list: who is left out, what follows, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpro.core.errors import refusal_of
from cpro.core.formatting import plural
from cpro.core.permissions import Permission
from cpro.core.screens import BulkAction
from cpro.students.admin.user_actions import names_told
from cpro.users.models import Account
from cpro.users.operations import access
from cpro.users.operations.sheets import refuse_sheet
from cpro.users.queries import list_accounts

_CODES = (
    "Les codes d’activation pas encore utilisés cessent de servir : qui n’a jamais choisi son mot de passe aura "
    "besoin, une fois réactivé, d’une nouvelle fiche."
)


def _deactivation_told(labels: Sequence[str]) -> list[str]:
    shown = names_told(labels)
    if len(labels) == 1:
        return [f"{shown} ne pourra plus se connecter.", "Ses données restent ; le compte peut être réactivé.", _CODES]
    return [
        f"Ne pourront plus se connecter : {shown}.",
        "Leurs données restent ; chaque compte peut être réactivé.",
        _CODES,
    ]


def _deactivate(ids: Sequence[int], *, by: Any, now: Any) -> str:
    accounts = list_accounts(ids)
    refused = access.deactivate_accounts(accounts, by=by, now=now)
    done = f"{plural(len(ids) - len(refused), 'compte désactivé', 'comptes désactivés')}."
    left = [f"Rien n’a changé pour {each.label}. {refused[each.id].message}" for each in accounts if each.id in refused]
    return " ".join([done, *left])


def _not_to_deactivate(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    refused = access.list_not_to_deactivate(rows, by, together=together)
    return {account_id: refusal.message for account_id, refusal in refused.items()}


def without_sheets(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    """Return the accounts that have no activation sheet, by id, with why."""
    refused = {row.id: refusal_of(refuse_sheet, row, by) for row in rows}
    return {account_id: refusal.message for account_id, refusal in refused.items() if refusal is not None}


DEACTIVATION = BulkAction(
    "deactivate",
    "Désactiver",
    Permission.USERS_EDIT,
    _deactivation_told,
    _deactivate,
    danger=True,
    left_out=_not_to_deactivate,
)
