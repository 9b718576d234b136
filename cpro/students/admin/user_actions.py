"""What the list of users does to the accounts ticked, what it says first, and where a head's code goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpro.core.errors import refusal_of
from cpro.core.formatting import join_french, plural
from cpro.core.permissions import Role
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.queries import get_current_establishment
from cpro.users.models import Account
from cpro.users.operations import consent
from cpro.users.operations.head_codes import BY_THE_PLATFORM
from cpro.users.operations.teachers import mark_seen
from cpro.users.queries import list_accounts

#: Where a person reads what became of a message about an account.
FOLLOWED = "la fiche du compte dit où en est l’envoi"


def names_told(labels: Sequence[str]) -> str:
    """Return ten names at most, as a sentence lists them."""
    return f"{join_french(labels[:10])}{'…' if len(labels) > 10 else ''}"


def not_to_consent(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    """Return the accounts that wait for no consent, by id; a head's page alone says where the code goes."""
    told = "L’accord à un autre chef d’établissement se donne depuis sa fiche."
    refused = {row.id: refusal_of(consent.refuse_granting, row, by) for row in rows}
    return {row.id: told for row in rows if row.role is Role.HEAD} | {
        account_id: refusal.message for account_id, refusal in refused.items() if refusal is not None
    }


def consent_to_all(ids: Sequence[int], *, by: Any, now: Any) -> str:
    """Consent to the accounts ticked that wait; a head's is left to its page, which says where the code goes."""
    waiting = [each for each in list_accounts(ids) if each.is_pending and each.role is not Role.HEAD]
    for account in waiting:
        consent.grant_consent(account, by=by, now=now)
    told = plural(len(waiting), "accord donné", "accords donnés")
    others = len(ids) - len(waiting)
    return f"{told}." if not others else f"{told} ; {plural(others, 'compte laissé', 'comptes laissés')} de côté."


def see_all(ids: Sequence[int], *, by: Any, now: Any) -> str:
    """Write that the head has seen the accounts ticked."""
    return f"{plural(mark_seen(list_accounts(ids), by=by, now=now), 'compte vu', 'comptes vus')}."


def where_code_goes() -> str:
    """Return the sentence that says where the code of a head goes."""
    address = find_proved_address(get_current_establishment())
    return f"Son code d’activation part à {address} : {FOLLOWED}." if address else BY_THE_PLATFORM
