"""What the dashboard shows of accounts: the head, activation codes, what waits for the head."""

from __future__ import annotations

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import format_count, plural
from cpro.core.permissions import Permission, can
from cpro.core.web.checklist import ChecklistItem
from cpro.core.web.current_user import current_principal
from cpro.users.queries import count_heads, count_pending_accounts, count_unseen_teachers, count_without_code


def list_account_items() -> list[ChecklistItem]:
    """Return the lines, from the present figures."""
    return [*_head(), *_codes(), *_pending_accounts(), *_unseen_teachers()]


def _head() -> list[ChecklistItem]:
    """Return the line of the head, while nobody acts as one."""
    heads = count_heads()
    if heads.activated:
        return []
    blocked = "Sans lui, personne ne donne d’accord, n’ouvre d’accès à un inspecteur ni ne choisit les modules."
    edits = can(current_principal(), Permission.USERS_EDIT)
    if heads.first_id is None:
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
            link_url=url_for("utilisateurs.details_view", id=heads.first_id),
            link_label="Voir son compte",
            figure="0",
            act=Permission.USERS_EDIT,
        )
    ]


def _codes() -> list[ChecklistItem]:
    """Return the line of those who have no code to activate their account with."""
    number = count_without_code(clock.utcnow())
    if not number:
        return []
    who = plural(number, "personne n’a jamais activé son compte", "personnes n’ont jamais activé leur compte")
    edits = can(current_principal(), Permission.USERS_EDIT)
    return [
        ChecklistItem(
            "Remettre les codes d’activation",
            f"{who} et {'n’a' if number == 1 else 'n’ont'} pas de code valable : sans lui, pas de connexion.",
            link_url=url_for("credential_sheets.choose", pour="sans-code")
            if edits
            else url_for("utilisateurs.index_view"),
            link_label="Imprimer les fiches",
            figure=format_count(number),
            act=Permission.USERS_EDIT,
        )
    ]


def _pending_accounts() -> list[ChecklistItem]:
    """Return the line of the accounts that wait for the head, while there are any."""
    pending, first_id = count_pending_accounts()
    if not pending:
        return []
    who = plural(pending, "personne ne peut pas", "personnes ne peuvent pas")
    return [
        ChecklistItem(
            "Donner l’accord du chef d’établissement",
            f"Sans cet accord, {who} activer son compte."
            if pending == 1
            else f"Sans cet accord, {who} activer leur compte.",
            link_url=url_for("utilisateurs.details_view", id=first_id)
            if pending == 1
            else url_for("utilisateurs.index_view", etat="accord"),
            link_label="Voir le compte" if pending == 1 else "Voir la liste",
            figure=format_count(pending),
            act=Permission.USERS_CONSENT,
        )
    ]


def _unseen_teachers() -> list[ChecklistItem]:
    """Return, to the head, the line of the teachers' accounts that the administrator opened and they have not seen."""
    unseen = count_unseen_teachers() if can(current_principal(), Permission.USERS_CONSENT) else 0
    if not unseen:
        return []
    return [
        ChecklistItem(
            "Voir les comptes d’enseignants ouverts par l’administrateur",
            "Un enseignant lit les fiches et les évaluations de ses divisions : vérifiez que vous connaissez ces "
            "personnes, puis dites que vous les avez vues.",
            link_url=url_for("utilisateurs.index_view", etat="a-voir"),
            link_label="Voir la liste",
            figure=format_count(unseen),
            act=Permission.USERS_CONSENT,
        )
    ]
