"""What heads are told by e-mail: names of schools and figures, never a pupil."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.formatting import plural
from cpro.core.mail import Mail, public_link
from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.transfers.matching import School
from cpro.users.models import Account

FOLLOW_UP = "/admin/parametres/transferts/effectues"


def first_transfers(session: Session, school: School, others: Sequence[School]) -> list[Mail]:
    """Return the messages that tell the heads of a school with which others it exchanged for the first time."""
    names = "\n".join(f"— {_named(other)}" for other in others)
    body = (
        f"Pour la première fois, les données d’élèves ont été transférées entre {_named(school)} et :\n\n{names}\n\n"
        "Un élève qui change d’établissement emporte ses fiches validées, ses évaluations et ses bilans ; "
        "l’établissement qu’il quitte garde les siens.\n"
        "Le détail des transferts, avec leurs dates et leurs nombres, est ici :\n"
        f"{public_link(FOLLOW_UP)}\n\n"
        "L’établissement qui a reçu des données peut annuler un transfert pendant 30 jours. Chaque établissement peut "
        "désactiver les transferts à tout moment, dans Paramètres, onglet Transferts.\n"
    )
    return [Mail(address, "Premier transfert avec un autre établissement", body) for address in _heads(session, school)]


def offers(session: Session, school: School, left: School, pupils: int) -> list[Mail]:
    """Return the messages that tell the heads of a school that pupils are offered to it."""
    body = (
        f"{_named(left)} propose de transmettre à votre établissement les données de "
        f"{plural(pupils, 'élève parti de chez lui', 'élèves partis de chez lui')}.\n"
        "Acceptez en désignant l’élève dans votre établissement, ou refusez :\n"
        f"{public_link(FOLLOW_UP)}\n\n"
        "Sans réponse, la proposition expire après 60 jours.\n"
    )
    return [Mail(address, "Des données d’élèves vous sont proposées", body) for address in _heads(session, school)]


def _heads(session: Session, school: School) -> list[str]:
    """Return where the heads of a school are written to: their own addresses, or else the school's."""
    accounts = session.scalars(
        select(Account).where(
            Account.establishment_id == school.id, Account.role_value == Role.HEAD.value, Account.email != ""
        )
    )
    addresses = sorted({account.email for account in accounts if account.may_sign_in})
    if addresses:
        return addresses
    own = session.scalar(select(Establishment.email).where(Establishment.id == school.id))
    return [own] if own else []


def _named(school: School) -> str:
    if not school.name:
        return f"l’établissement {school.uai or ''}".strip()
    return f"{school.name} ({school.uai})" if school.uai else school.name
