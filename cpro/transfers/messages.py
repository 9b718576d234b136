"""E-mails to heads: names of schools and figures, never a pupil."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.formatting import plural
from cpro.core.mail import Mail, public_link
from cpro.core.permissions import Role
from cpro.establishments.models import Establishment
from cpro.transfers.matching import School
from cpro.users.models import Account

FOLLOW_UP = "/admin/parametres/transferts/effectues"


def first_transfers(addresses: Sequence[str], school: School, others: Sequence[School]) -> list[Mail]:
    """Return the messages that notify the heads of a school with which others it exchanged for the first time.

    `addresses` are where its heads are written to, as `heads_of` returns them.
    """
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
    return [Mail(address, "Premier transfert avec un autre établissement", body) for address in addresses]


def offers(addresses: Sequence[str], school: School, source: School, pupils: int) -> list[Mail]:
    """Return the messages that notify the heads of a school that pupils are offered to it."""
    body = (
        f"{_named(source)} propose de transmettre à votre établissement les données de "
        f"{plural(pupils, 'élève parti de chez lui', 'élèves partis de chez lui')}.\n"
        "Acceptez en désignant l’élève dans votre établissement, ou refusez :\n"
        f"{public_link(FOLLOW_UP)}\n\n"
        "Sans réponse, la proposition expire après 60 jours.\n"
    )
    return [Mail(address, "Des données d’élèves vous sont proposées", body) for address in addresses]


def heads_of(session: Session, school_ids: Collection[int]) -> dict[int, list[str]]:
    """Return where the heads of schools are written to, by school: their own addresses, or else the school's."""
    own = session.execute(select(Establishment.id, Establishment.email).where(Establishment.id.in_(school_ids)))
    schools = {id_: [email] if email else [] for id_, email in own}
    accounts = session.scalars(
        select(Account).where(
            Account.establishment_id.in_(school_ids),
            Account.role_value == Role.HEAD.value,
            Account.confirmed_email != "",
        )
    )
    heads: dict[int, set[str]] = defaultdict(set)
    for account in accounts:
        if account.may_sign_in:
            heads[account.establishment_id].add(account.confirmed_email)
    return schools | {id_: sorted(addresses) for id_, addresses in heads.items()}


def _named(school: School) -> str:
    if not school.name:
        return f"l’établissement {school.uai or ''}".strip()
    return f"{school.name} ({school.uai})" if school.uai else school.name
