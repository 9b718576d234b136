"""Bulk actions on the ticked accounts: who is left out, the consequences, the result message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from cpro.core.errors import DomainError, refusal_of
from cpro.core.formatting import of_name, plural
from cpro.core.permissions import Permission
from cpro.core.web.screens import BulkAction
from cpro.people.presenters.accounts import describe_names
from cpro.users.models import Account
from cpro.users.operations import access, consent
from cpro.users.operations.credential_sheets import check_may_have_sheet
from cpro.users.operations.teachers import mark_seen
from cpro.users.queries import list_accounts

_CODES = (
    "Les codes d’activation pas encore utilisés cessent de servir : qui n’a jamais choisi son mot de passe aura "
    "besoin, une fois réactivé, d’une nouvelle fiche."
)


def _describe_deactivation(labels: Sequence[str]) -> list[str]:
    shown = describe_names(labels)
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
    return _describe_outcome(done, accounts, refused)


def _describe_outcome(done: str, accounts: Sequence[Account], refused: Mapping[int, DomainError]) -> str:
    left = [
        f"Rien n’a changé pour {each.label} ({each.login}). {refused[each.id].message}"
        for each in accounts
        if each.id in refused
    ]
    return " ".join([done, *left])


def _describe_reactivation(labels: Sequence[str]) -> list[str]:
    return [
        f"Redeviendront actifs : {describe_names(labels)}.",
        "Qui avait un mot de passe le garde ; qui n’en a jamais choisi aura besoin d’une nouvelle fiche d’activation.",
        "Un administrateur, ou un enseignant si le chef d’établissement l’a demandé, attendra d’abord son accord.",
    ]


def _reactivate(ids: Sequence[int], *, by: Any, now: Any) -> str:
    accounts = list_accounts(ids)
    refused = access.reactivate_accounts(accounts, by=by, now=now)
    done = f"{plural(len(ids) - len(refused), 'compte réactivé', 'comptes réactivés')}."
    if any(each.password_hash is None and each.id not in refused for each in accounts):
        done += " Imprimez de nouvelles fiches d’activation pour ceux qui n’ont pas de mot de passe."
    return _describe_outcome(done, accounts, refused)


def _sentences(refused: Mapping[int, DomainError | None]) -> dict[int, str]:
    """Return the messages of refusals by account id, without the accounts that are not refused."""
    return {account_id: refusal.message for account_id, refusal in refused.items() if refusal is not None}


def _left_out_of_reactivation(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    refused = {row.id: refusal_of(access.check_reactivation, row, by) for row in rows}
    active = {
        row.id: "Ce compte n’est pas désactivé\u202f: il n’y a rien à réactiver." for row in rows if row.is_active
    }
    return _sentences(refused) | active


def _left_out_of_deactivation(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    refused = access.list_not_to_deactivate(rows, by, together=together)
    closed = {row.id: "Ce compte est déjà désactivé." for row in rows if not row.is_active}
    return _sentences(refused) | closed


def _left_out_of_sheets(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    """Return the accounts that cannot have an activation sheet, by id, with the reason."""
    refused = {row.id: refusal_of(check_may_have_sheet, row, by) for row in rows}
    return _sentences(refused)


def _left_out_of_consent(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    """Return the accounts that await no consent, by id; only a head's own page says where their code goes."""
    reason = "L’accord à un autre chef d’établissement se donne depuis sa fiche."
    refused = {row.id: refusal_of(consent.check_consent, row, by) for row in rows}
    return {row.id: reason for row in rows if row.role.has_private_code} | _sentences(refused)


def _consent_to_all(ids: Sequence[int], *, by: Any, now: Any) -> str:
    """Consent to the ticked accounts that await it, except a head's: its page says where the code goes."""
    waiting = [each for each in list_accounts(ids) if each.is_pending and not each.role.has_private_code]
    for account in waiting:
        consent.grant_consent(account, by=by, now=now)
    given = plural(len(waiting), "accord donné", "accords donnés")
    others = len(ids) - len(waiting)
    return f"{given}." if not others else f"{given} ; {plural(others, 'compte laissé', 'comptes laissés')} de côté."


def _describe_consent(labels: Sequence[str]) -> list[str]:
    shown = describe_names(labels)
    return [f"{shown} pourra activer son compte." if len(labels) == 1 else f"Pourront activer leur compte : {shown}."]


def _describe_seen(labels: Sequence[str]) -> list[str]:
    shown = describe_names(labels)
    if len(labels) == 1:
        return [f"Le compte {of_name(shown)} ne vous sera plus signalé."]
    return [f"Ne vous seront plus signalés : {shown}."]


def _left_out_of_seen(rows: Sequence[Account], *, by: Any, together: bool) -> dict[int, str]:
    """Return the ticked accounts that do not have to be reviewed, by id.

    Alone in a list each keeps its box: few have to be reviewed, so almost every row would need a reason.
    """
    return {row.id: "Ce compte n’attend pas d’être vu." for row in rows if together and not row.unseen_by_head}


def _see_all(ids: Sequence[int], *, by: Any, now: Any) -> str:
    """Record that the head has reviewed the ticked accounts."""
    return f"{plural(mark_seen(list_accounts(ids), by=by, now=now), 'compte vu', 'comptes vus')}."


#: The bulk actions of the accounts list, in the order shown.
BULK_ACTIONS = (
    BulkAction(
        "deactivate",
        "Désactiver",
        Permission.USERS_EDIT,
        consequences=_describe_deactivation,
        run=_deactivate,
        danger=True,
        left_out=_left_out_of_deactivation,
    ),
    BulkAction(
        "reactivate",
        "Réactiver",
        Permission.USERS_EDIT,
        consequences=_describe_reactivation,
        run=_reactivate,
        left_out=_left_out_of_reactivation,
    ),
    BulkAction(
        "consent",
        "Donner mon accord",
        Permission.USERS_CONSENT,
        asked=lambda number: f"Donner mon accord à {plural(number, 'compte', 'comptes')}",
        consequences=_describe_consent,
        run=_consent_to_all,
        left_out=_left_out_of_consent,
    ),
    BulkAction(
        "seen",
        "J’ai vu ces comptes",
        Permission.USERS_CONSENT,
        asked=lambda number: f"Marquer {plural(number, 'compte comme vu', 'comptes comme vus')}",
        consequences=_describe_seen,
        run=_see_all,
        left_out=_left_out_of_seen,
    ),
    BulkAction(
        "sheets",
        "Fiches d’activation",
        Permission.USERS_EDIT,
        left_out=_left_out_of_sheets,
        leads_to=lambda ids: url_for("credential_sheets.choose", ids=",".join(map(str, ids))),
    ),
)
