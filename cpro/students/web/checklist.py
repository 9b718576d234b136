"""Lines of « Les incontournables » about people: the head, codes, accounts, courses, INE."""

from __future__ import annotations

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import format_count, plural
from cpro.core.permissions import Permission, can
from cpro.core.web.registry import ChecklistItem
from cpro.core.web.responses import current_principal
from cpro.students import queries
from cpro.users.queries import count_heads, count_pending_accounts, count_unseen_teachers, count_without_code


def list_items() -> list[ChecklistItem]:
    """Return the lines, from the present figures."""
    return [*_head(), *_codes(), *_pending_accounts(), *_unseen_teachers(), *_courses(), *_divisions(), *_without_ine()]


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
                done=False,
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
            done=False,
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
            done=False,
            link_url=url_for("credential_sheets.choose", pour="sans-code")
            if edits
            else url_for("utilisateurs.index_view"),
            link_label="Imprimer les fiches",
            figure=format_count(number),
            act=Permission.USERS_EDIT,
        )
    ]


def _without_ine() -> list[ChecklistItem]:
    """Return the line of the INE, once there are pupils."""
    without = queries.count_without_ine(clock.utcnow().date())
    if not without.active and not queries.count_active_students():
        return []
    return [
        ChecklistItem(
            "Compléter les INE",
            "Tous les élèves présents ont un INE."
            if not without.active
            else "Sans INE, leurs données ne pourront pas les suivre dans un autre établissement.",
            done=not without.active,
            link_url=url_for("students.without_ine"),
            link_label="Voir la liste",
            figure=format_count(without.active),
            act=Permission.IMPORTS_MANAGE,
        )
    ]


def _courses() -> list[ChecklistItem]:
    """Return the line of the courses without diploma, once the school or its pupils name courses."""
    total, unlinked = queries.count_mefs()
    unknown = queries.count_unknown_mefs()
    if not total + unknown:
        return []
    missing = unlinked + unknown
    detail = "Toutes les formations sont rattachées à un diplôme."
    if missing:
        detail = "Sans diplôme, une formation laisse ses divisions sans masque de saisie ni compétences."
    if unknown:
        detail += f" {plural(unknown, 'code est porté', 'codes sont portés')} par des élèves sans être dans la liste."
    return [
        ChecklistItem(
            "Rattacher les formations (MEF) à un diplôme",
            detail,
            done=not missing,
            link_url=url_for("mefs.index_view", diplome="non") if unlinked else url_for("mefs.index_view"),
            link_label="Voir la liste",
            figure=format_count(missing),
            act=Permission.DIPLOMAS_EDIT,
        )
    ]


def _divisions() -> list[ChecklistItem]:
    """Return the line of the divisions without diploma whose pupils name no course: nothing else would show them."""
    number = queries.count_divisions_without_course()
    if not number:
        return []
    what = plural(number, "division n’a", "divisions n’ont")
    return [
        ChecklistItem(
            "Choisir le diplôme des divisions",
            f"{what} ni diplôme ni formation (MEF) : ses élèves n’ont ni masque de saisie ni compétences."
            if number == 1
            else f"{what} ni diplôme ni formation (MEF) : leurs élèves n’ont ni masque de saisie ni compétences.",
            done=False,
            link_url=url_for("divisions.index_view"),
            link_label="Voir la liste",
            figure=format_count(number),
            act=Permission.STUDENTS_EDIT,
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
            done=False,
            link_url=url_for("utilisateurs.index_view", etat="a-voir"),
            link_label="Voir la liste",
            figure=format_count(unseen),
            act=Permission.USERS_CONSENT,
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
            done=False,
            link_url=url_for("utilisateurs.details_view", id=first_id)
            if pending == 1
            else url_for("utilisateurs.index_view", etat="accord"),
            link_label="Voir le compte" if pending == 1 else "Voir la liste",
            figure=format_count(pending),
            act=Permission.USERS_CONSENT,
        )
    ]
