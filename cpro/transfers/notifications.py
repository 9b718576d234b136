"""The e-mails to heads: the first transfer with a school, an offer; names of schools and figures, never a pupil."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.core.formatting import plural
from cpro.core.mail import Mail, enqueue, public_link
from cpro.core.permissions import Actor, Permission
from cpro.establishments.models import Establishment
from cpro.transfers.matching import School, load_schools
from cpro.transfers.models import SchoolPair
from cpro.users.models import Account

FOLLOW_UP = "/admin/parametres/transferts/effectues"
_PAGE = 500
#: Neither school learns who acted in the other.
_MATCHING = Actor("system", None, "Transferts", "system")


def notify_heads(session: Session, *, between: tuple[int, int] | None = None, now: datetime) -> int:
    """Notify the heads of the schools of new pairs, one message a school, and return how many pairs.

    At most 500 at once, oldest first; `between` names two schools and leaves the others for later.
    """
    statement = select(SchoolPair).where(SchoolPair.notified_at.is_(None)).order_by(SchoolPair.id).limit(_PAGE)
    if between:
        one, other = sorted(between)
        statement = statement.where(SchoolPair.first_id == one, SchoolPair.second_id == other)
    pairs = session.scalars(statement.with_for_update(skip_locked=True)).all()
    others: dict[int, list[int]] = defaultdict(list)
    for pair in pairs:
        pair.notified_at = now
        others[pair.first_id].append(pair.second_id)
        others[pair.second_id].append(pair.first_id)
    session.flush()
    schools, addresses = load_schools(session, list(others)), _heads_of(session, list(others))
    for school_id, met in others.items():
        for mail in _write_first_transfers(addresses[school_id], schools[school_id], [schools[each] for each in met]):
            enqueue(mail, by=_MATCHING, now=now, session=session, establishment_id=school_id)
    return len(pairs)


def notify_of_offer(
    session: Session, destination: School, source: School, pupils: int, *, by: Actor, now: datetime
) -> None:
    """Notify the heads of a school by mail of pupils that are offered to it; `by` is as that school may name them."""
    for mail in _write_offers(_heads_of(session, [destination.id])[destination.id], destination, source, pupils):
        enqueue(mail, by=by, now=now, session=session, establishment_id=destination.id)


def _write_first_transfers(addresses: Sequence[str], school: School, others: Sequence[School]) -> list[Mail]:
    """Return the messages that notify the heads of a school with which others it exchanged for the first time.

    `addresses` are where its heads are written to, as `_heads_of` returns them.
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


def _write_offers(addresses: Sequence[str], school: School, source: School, pupils: int) -> list[Mail]:
    """Return the messages that notify the heads of a school that pupils are offered to it."""
    body = (
        f"{_named(source)} propose de transmettre à votre établissement les données de "
        f"{plural(pupils, 'élève parti de chez lui', 'élèves partis de chez lui')}.\n"
        "Acceptez en désignant l’élève dans votre établissement, ou refusez :\n"
        f"{public_link(FOLLOW_UP)}\n\n"
        "Sans réponse, la proposition expire après 60 jours.\n"
    )
    return [Mail(address, "Des données d’élèves vous sont proposées", body) for address in addresses]


def _heads_of(session: Session, school_ids: Collection[int]) -> dict[int, list[str]]:
    """Return where the heads of schools are written to, by school: their own addresses, or else the school's."""
    own = session.execute(select(Establishment.id, Establishment.email).where(Establishment.id.in_(school_ids)))
    schools = {id_: [email] if email else [] for id_, email in own}
    accounts = session.scalars(
        select(Account).where(
            Account.establishment_id.in_(school_ids),
            Account.holds(Permission.TRANSFERS_NOTICES),
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
