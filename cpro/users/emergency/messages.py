"""E-mails to heads when roles are closed or reopened."""

from __future__ import annotations

from typing import NamedTuple

from cpro.core.formatting import format_instant, join_french, plural
from cpro.core.mail import public_link
from cpro.core.permissions import Actor, Role
from cpro.establishments.models import Establishment
from cpro.users.emergency.queries import Incident

_PAGE = "/admin/urgence"
_OPERATOR_PAGE = "/mentions/administration"
_NOT_YOU = (
    "Si vous ne vous y attendiez pas, ouvrez cette page, ou prévenez l’équipe qui administre CPro : elle ferme et "
    "rouvre aussi un accès. Comment la joindre :"
)


class Letter(NamedTuple):
    """A message without its recipient."""

    subject: str
    body: str


def name_roles(roles: list[Role]) -> str:
    """Return the people of these roles as a list in a sentence: « enseignants et apprenants »."""
    return join_french([role.people for role in roles])


def locked(incident: Incident, school: Establishment, *, by: Actor) -> Letter:
    """Return the message that roles were closed, by whom, and what that ended."""
    roles = name_roles(incident.roles)
    ended = plural(incident.sign_ins, "session terminée", "sessions terminées")
    voided = plural(incident.codes, "code annulé", "codes annulés")
    return Letter(
        f"CPro : accès fermé d’urgence ({roles})",
        "Bonjour,\n\n"
        f"Le {format_instant(incident.locked_at, school.timezone)}, {by.label} a fermé d’urgence l’accès à CPro de "
        f"{school.name or school.code}. Sont fermés : {roles} ({ended}, {voided}).\n\n"
        "Personne de ces rôles ne peut plus se connecter. Rien de ce qui est enregistré n’est perdu. Seul un chef "
        f"d’établissement rouvre l’accès :\n{public_link(_PAGE)}\n\n"
        f"{_NOT_YOU}\n{public_link(_OPERATOR_PAGE)}\n",
    )


def reopened(roles: list[Role], school: Establishment, *, by: Actor) -> Letter:
    """Return the message that roles were reopened, and by whom."""
    return Letter(
        f"CPro : accès rouvert ({name_roles(roles)})",
        "Bonjour,\n\n"
        f"{by.label} a rouvert l’accès à CPro de {school.name or school.code} : {name_roles(roles)}.\n\n"
        f"Cette page :\n{public_link(_PAGE)}\n\n{_NOT_YOU}\n{public_link(_OPERATOR_PAGE)}\n",
    )
