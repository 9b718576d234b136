"""The page « Urgence »: each role, what is or was closed, and the consequences of closing or reopening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import url_for

from cpro.core import clock
from cpro.core.clock import today_in
from cpro.core.errors import NotFound
from cpro.core.formatting import format_count, format_instant, join_french, plural
from cpro.core.permissions import Permission, Role
from cpro.core.web.current_user import current_actor, current_principal, may
from cpro.core.web.registry import registry
from cpro.establishments.queries import get_current_establishment
from cpro.inspectors.models import MandateState
from cpro.inspectors.queries import count_mandates
from cpro.users.emergency.messages import name_roles
from cpro.users.emergency.models import RoleLock
from cpro.users.emergency.operations import OutOfReach, list_closable_roles
from cpro.users.emergency.queries import (
    Incident,
    People,
    count_people,
    find_lock_on,
    list_incidents,
    list_open_locks,
)

#: The value in URLs and forms for every role that the person may close.
EVERYBODY = "tous"
#: Default period covered by the incident sheet before the closing.
LOOKS_BACK = timedelta(days=3)


@dataclass(frozen=True)
class ShownRole:
    """One role as the page shows it."""

    value: str
    people: str
    accounts: str
    sign_ins: str
    #: since when and by whom it is closed, "" if it is open
    closed: str
    may_close: bool


@dataclass(frozen=True)
class ShownIncident:
    """One closing as the page shows it."""

    id: int
    title: str
    sentences: Sequence[str]
    #: the first day covered by its sheet
    since: str
    #: the pages that prepare new sheets: (label, URL)
    sheets: Sequence[tuple[str, str]]


def describe_page() -> dict[str, Any]:
    """Return the context of the page."""
    locks = {each.role: each for each in list_open_locks()}
    figures = count_people(get_current_establishment().id, now=clock.utcnow())
    roles = [_describe_role(role, locks.get(role), figures.get(role, People())) for role in _closable()]
    return {
        "roles": roles,
        "everybody": EVERYBODY,
        "may_close_all": sum(each.may_close for each in roles) > 1,
        "reaches_everybody": may(Permission.EMERGENCY_LOCK_ALL),
        "may_reopen": may(Permission.EMERGENCY_LOCK_ALL),
        "may_reopen_all": len(locks) > 1,
        "incidents": [_describe_incident(each) for each in list_incidents()],
    }


def read_roles(value: str) -> list[Role]:
    """Return the roles named in a URL or a form. Raises `NotFound`, `OutOfReach`."""
    found = [role for role in _closable() if value in (EVERYBODY, role.value)]
    if found:
        return found
    if value in {role.value for role in Role}:
        raise OutOfReach("Vous ne pouvez pas fermer cet accès\u202f: seul le chef d’établissement le peut.")
    raise NotFound("Choisissez ce qui est à fermer ou à rouvrir dans la page « Urgence ».")


def name_chosen(roles: Sequence[Role]) -> str:
    """Return the wording of the choice in a question: « l’accès des enseignants »."""
    if len(roles) == len(_closable()) and may(Permission.EMERGENCY_LOCK_ALL):
        return "l’accès de tout l’établissement"
    return f"l’accès des {name_roles(list(roles))}"


def describe_closing(roles: Sequence[Role]) -> list[str]:
    """Return the consequences of closing roles."""
    sentences = [
        *_announce_figures(roles),
        "Rien de ce qui est enregistré n’est perdu. Un formulaire que quelqu’un valide après la fermeture est gardé "
        "sept jours et lui est présenté à sa prochaine connexion.",
    ]
    principal = current_principal()
    if principal is not None and {principal.role} & {*roles}:
        sentences.append(
            "Vous gardez cette session, et vous pourrez vous reconnecter\u202f; vos autres sessions prennent fin. Si "
            "votre propre mot de passe a pu être lu, changez-le ensuite."
        )
    if any(role.can(Permission.MANDATE_ENTER) for role in roles):
        sentences.append(
            "Les accès inspecteur gardent leurs dates, mais aucun inspecteur ne lit plus rien de l’établissement."
        )
    if may(Permission.EMERGENCY_LOCK_ALL):
        sentences.append("Un chef d’établissement rouvre, depuis la page « Urgence ».")
    else:
        sentences.append("Le chef d’établissement en est averti aussitôt. Lui seul peut rouvrir.")
    return sentences


def _announce_figures(roles: Sequence[Role]) -> list[str]:
    """Return how many accounts and sign-ins will be closed, counted as the closing itself counts them."""
    if all(role.is_platform for role in roles):
        return []
    principal, locks = current_principal(), {each.role: each for each in list_open_locks()}
    own_id = principal.id if principal is not None else None
    figures = count_people(
        get_current_establishment().id,
        kept_account_id=own_id,
        kept_sign_in_id=principal.sign_in_id if principal is not None else None,
        now=clock.utcnow(),
    )
    concerned = [figures.get(role, People()) for role in roles if _may_close(locks.get(role), own_id)]
    accounts, sign_ins = sum(each.accounts for each in concerned), sum(each.sign_ins for each in concerned)
    return [
        f"{plural(accounts, 'compte est fermé', 'comptes sont fermés')}, et "
        f"{plural(sign_ins, 'session ouverte prend fin', 'sessions ouvertes prennent fin')} aussitôt\u202f: une page "
        "restée ouverte n’enregistre plus rien et ne montre plus rien d’autre.",
        "Les codes d’activation et de mot de passe oublié qui n’ont pas encore servi sont annulés.",
    ]


def _may_close(lock: RoleLock | None, own_id: int | None) -> bool:
    return lock is None or lock.leaves_in_another(own_id)


def describe_reopening(roles: Sequence[Role]) -> list[str]:
    """Return the consequences of reopening roles."""
    return [
        f"Les {name_roles(list(roles))} se connectent à nouveau, avec le mot de passe qu’ils avaient.",
        "Les codes annulés le restent\u202f: de nouvelles fiches sont à préparer.",
        "Un mot de passe volé sert toujours\u202f: demandez d’abord à l’administrateur de réinitialiser le compte "
        "concerné (menu «\u202fGérer les profils utilisateurs\u202f», page de la personne, "
        f"«\u202fRéinitialiser\u202f»){_name_resets(roles)}.",
        "Si l’accès des administrateurs est fermé aussi, rouvrez-le d’abord, seul\u202f; à défaut, l’équipe qui "
        "administre CPro réinitialise le compte.",
    ]


def describe_closed_account(account_id: int) -> str:
    """Return since when an account is closed, by whom, and what that means; "" if it is open."""
    lock = find_lock_on(account_id)
    if lock is None:
        return ""
    return (
        f"Accès fermé depuis le {format_instant(lock.locked_at, registry().timezone())}, par {lock.locked_by}\u202f: "
        "ni le mot de passe ni un code n’ouvrent ce compte avant la réouverture."
    )


def describe_waiting_code(account_id: int) -> str:
    """Return a note that the new code of an account only works once its role is reopened; "" if it is open."""
    lock = find_lock_on(account_id)
    return f"Ce code ne servira qu’une fois l’accès des {lock.role.people} rouvert." if lock is not None else ""


def describe_waiting_sheets() -> str:
    """Return a note that printed codes only work once their closed roles are reopened; "" if none is closed."""
    closed = [lock.role for lock in list_open_locks() if not lock.role.has_private_code]
    if not closed:
        return ""
    return f"L’accès des {name_roles(closed)} est fermé\u202f: leurs codes ne serviront qu’après la réouverture."


def _name_resets(roles: Sequence[Role]) -> str:
    """Return where to reset the accounts of whole roles, as the end of a sentence."""
    links = [f"«\u202f{_reset_label(role)}\u202f»" for role in roles if not role.has_private_code]
    return f", ou tous ceux du rôle (page «\u202fUrgence\u202f», {join_french(links)})" if links else ""


def _reset_label(role: Role) -> str:
    return f"Réinitialiser les comptes des {role.people}"


def _closable() -> list[Role]:
    return list_closable_roles(current_actor())


def _describe_role(role: Role, lock: RoleLock | None, figures: People) -> ShownRole:
    principal = current_principal()
    own_id = principal.id if principal is not None else None
    closed = ""
    if lock is not None:
        closed = f"le {format_instant(lock.locked_at, registry().timezone())}, par {lock.locked_by}"
    accounts, sign_ins = format_count(figures.accounts), format_count(figures.sign_ins)
    if role.can(Permission.MANDATE_ENTER):
        today = today_in(registry().timezone(), clock.utcnow())
        accounts, sign_ins = plural(count_mandates(MandateState.RUNNING, today), "accès", "accès"), ""
    return ShownRole(role.value, role.people, accounts, sign_ins, closed, _may_close(lock, own_id))


def _describe_incident(incident: Incident) -> ShownIncident:
    timezone = registry().timezone()
    at = format_instant(incident.locked_at, timezone)
    sentences = [
        f"Fermé par {incident.locked_by}\u202f: {plural(incident.accounts, 'compte', 'comptes')}, "
        f"{plural(incident.sign_ins, 'session terminée', 'sessions terminées')}, "
        f"{plural(incident.codes, 'code annulé', 'codes annulés')}.",
        *(_describe_reopened(lock, timezone) for lock in incident.locks),
    ]
    since = today_in(timezone, incident.locked_at - LOOKS_BACK)
    return ShownIncident(
        incident.id, f"{at}\u202f: {name_roles(incident.roles)}", sentences, since.isoformat(), _list_sheets(incident)
    )


def _describe_reopened(lock: RoleLock, timezone: str) -> str:
    people = f"{lock.role.people[0].upper()}{lock.role.people[1:]}"
    if lock.reopened_at is None:
        return f"{people}\u202f: toujours fermé."
    return f"{people}\u202f: rouvert le {format_instant(lock.reopened_at, timezone)} par {lock.reopened_by}."


def _list_sheets(incident: Incident) -> list[tuple[str, str]]:
    """Return the pages that reset a closed role's accounts, and those that replace voided codes once it is reopened.

    Accounts are reset before their role is reopened, not after, so that a stolen password never works again.
    """
    if not may(Permission.USERS_EDIT):
        return []
    printed = [lock for lock in incident.locks if not lock.role.has_private_code]
    links = [
        (
            _reset_label(lock.role),
            url_for("credential_sheets.choose", pour="role", role=lock.role.value, reset="y"),
        )
        for lock in printed
    ]
    if any(lock.codes for lock in printed if lock.reopened_at is not None):
        without_code = url_for("credential_sheets.choose", pour="sans-code")
        links.insert(0, ("Préparer de nouvelles fiches pour ceux qui n’ont plus de code", without_code))
    return links
