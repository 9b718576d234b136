"""The dashboard's lines about accounts: closed roles, the head, activation codes, what waits for the head."""

from __future__ import annotations

from flask import url_for

from cpro.core import clock
from cpro.core.counts import Counted
from cpro.core.formatting import format_count, format_instant, plural, upper_first
from cpro.core.permissions import Permission, can
from cpro.core.web.checklist import Asked, ChecklistItem, Figures
from cpro.core.web.current_user import current_principal
from cpro.establishments.queries import get_current_establishment
from cpro.users import queries
from cpro.users.emergency.messages import name_roles
from cpro.users.emergency.queries import list_open_locks, select_open_locks


def count_accounts() -> Asked:
    """Return what the lines need counted."""
    return {
        "closed roles": Counted(select_open_locks()),
        "activated heads": Counted(queries.select_activated_heads()),
        "accounts without code": Counted(queries.select_without_code(clock.utcnow())),
        "pending accounts": Counted(queries.select_pending()),
        "unseen teachers": Counted(queries.select_unseen_teachers()),
        "teachers": Counted(queries.select_teachers(), most=1),  # only whether there are any
    }


def list_account_items(figures: Figures) -> list[ChecklistItem]:
    """Return the lines for the current figures."""
    return [
        *_closed_roles(figures["closed roles"]),
        *_head(figures["activated heads"]),
        *_codes(figures["accounts without code"]),
        *_pending_accounts(figures["pending accounts"]),
        *_unseen_teachers(figures["unseen teachers"]),
    ]


def _closed_roles(number: int) -> list[ChecklistItem]:
    """Return the line of the currently closed roles, to be reopened."""
    locks = list_open_locks() if number else []
    if not locks:
        return []
    last, timezone = locks[-1], get_current_establishment().timezone
    since = format_instant(last.locked_at, timezone)
    sees_page = can(current_principal(), Permission.EMERGENCY_LOCK)
    return [
        ChecklistItem(
            "Rouvrir l’accès fermé d’urgence",
            f"Ne peuvent plus se connecter\u202f: {name_roles([each.role for each in locks])}. Fermé par "
            f"{last.locked_by}, le {since}.",
            link_url=url_for("emergency.index") if sees_page else url_for("journal.index_view"),
            link_label="Voir ce qui est fermé",
            figure=format_count(number),
            act=Permission.EMERGENCY_LOCK_ALL,
        )
    ]


def _head(activated: int) -> list[ChecklistItem]:
    """Return the line of the head, as long as no one acts as head."""
    if activated:
        return []
    first_id = queries.find_first(queries.select_heads())
    blocked = "Sans lui, personne ne donne d’accord, n’ouvre d’accès à un inspecteur ni ne choisit les modules."
    edits = can(current_principal(), Permission.USERS_EDIT)
    if first_id is None:
        return [
            ChecklistItem(
                "Ouvrir le compte du chef d’établissement",
                f"Aucun compte de chef d’établissement n’est ouvert. {blocked}",
                link_url=url_for("utilisateurs.create_view") if edits else url_for("utilisateurs.index_view"),
                link_label="Ajouter un utilisateur",
                figure="0",
                act=Permission.USERS_EDIT,
            )
        ]
    return [
        ChecklistItem(
            "Faire activer le compte du chef d’établissement",
            f"Il n’a jamais choisi son mot de passe. {blocked} S’il n’a plus son code, sa page en envoie un autre.",
            link_url=url_for("utilisateurs.details_view", id=first_id),
            link_label="Voir son compte",
            figure="0",
            act=Permission.USERS_EDIT,
        )
    ]


def _codes(number: int) -> list[ChecklistItem]:
    """Return the line of the people who have no activation code."""
    if not number:
        return []
    who = upper_first(plural(number, "personne n’a ni mot de passe", "personnes n’ont ni mot de passe"))
    edits = can(current_principal(), Permission.USERS_EDIT)
    return [
        ChecklistItem(
            "Remettre les codes d’activation",
            f"{who} ni code valable\u202f: {'elle ne peut' if number == 1 else 'elles ne peuvent'} pas se connecter.",
            link_url=url_for("credential_sheets.choose", pour="sans-code")
            if edits
            else url_for("utilisateurs.index_view"),
            link_label="Imprimer les fiches",
            figure=format_count(number),
            after=("pupil_accounts", "utilisateurs"),
            act=Permission.USERS_EDIT,
        )
    ]


def _pending_accounts(pending: int) -> list[ChecklistItem]:
    """Return the line of the accounts that wait for the head, if there are any."""
    if not pending:
        return []
    who = plural(pending, "personne ne peut pas", "personnes ne peuvent pas")
    return [
        ChecklistItem(
            "Donner l’accord du chef d’établissement",
            f"Sans cet accord, {who} activer son compte."
            if pending == 1
            else f"Sans cet accord, {who} activer leur compte.",
            link_url=url_for("utilisateurs.details_view", id=queries.find_first(queries.select_pending()))
            if pending == 1
            else url_for("utilisateurs.index_view", etat="accord"),
            link_label="Voir le compte" if pending == 1 else "Voir la liste",
            figure=format_count(pending),
            act=Permission.USERS_CONSENT,
        )
    ]


def _unseen_teachers(unseen: int) -> list[ChecklistItem]:
    """Return, for the head, the line of teachers' accounts opened, given a code or divisions by the administrator."""
    if not unseen or not can(current_principal(), Permission.USERS_CONSENT):
        return []
    return [
        ChecklistItem(
            "Voir les comptes d’enseignants que l’administrateur a ouverts, dont il a redonné le code ou ajouté des "
            "divisions",
            "Un enseignant lit les fiches et les évaluations de ses divisions : vérifiez que vous connaissez ces "
            "personnes, qu’elles ont ces divisions et ont demandé ce code, puis dites que vous les avez vues.",
            link_url=url_for("utilisateurs.index_view", etat="a-voir"),
            link_label="Voir la liste",
            figure=format_count(unseen),
            act=Permission.USERS_CONSENT,
        )
    ]
