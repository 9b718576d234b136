"""E-mails to heads: the first transfer with a school, an offer; with school names and figures, never a pupil."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.formatting import plural, upper_first
from cpro.core.mail import Mail, enqueue, public_link
from cpro.core.permissions import Actor, Permission
from cpro.establishments.models import Establishment
from cpro.transfers.guesses import TRIES
from cpro.transfers.matching import load_schools
from cpro.transfers.models import SchoolPair, Transfer, TransferSide
from cpro.transfers.pairs import Pair, School
from cpro.users.models import Account

FOLLOW_UP = "/admin/parametres/transferts/effectues"
_PAGE = 500
#: Neither school learns who acted in the other.
_MATCHING = Actor("system", None, "Transferts", "system")


def notify_heads(session: Session, *, between: tuple[int, int] | None = None, now: datetime) -> int:
    """Notify the heads of the schools of new pairs, one message a school, and return how many pairs.

    At most 500 at once, oldest first; `between` limits it to two schools and leaves the others for later.
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
    """E-mail the heads of a school about pupils offered to it; `by` is the actor as that school may name them."""
    for mail in _write_offers(_heads_of(session, [destination.id])[destination.id], destination, source, pupils):
        enqueue(mail, by=by, now=now, session=session, establishment_id=destination.id)


def notify_of_guesses(session: Session, pair: Pair, *, by_school: int, until: datetime, now: datetime) -> None:
    """Record in both schools that one tried many identities of a pair under one INE, and e-mail the other's heads.

    The other school's journal names the school that tried; a school that sees nothing of the pair is not notified.
    """
    schools = load_schools(session, [pair.source_id, pair.destination_id])
    trying = schools[by_school]
    by = Actor("system", None, upper_first(name_school(trying)), "system")
    sides = session.scalars(
        select(TransferSide)
        .join(Transfer, Transfer.id == TransferSide.transfer_id)
        .where(
            Transfer.is_current,
            Transfer.source_student_id == pair.source_student_id,
            Transfer.destination_student_id == pair.destination_student_id,
        )
        .order_by(TransferSide.establishment_id)
        .execution_options(populate_existing=True)
    ).all()
    for side in sides:
        record(
            "transfer:guessed",
            About("transfer", side.id, side.student_label),
            by=by,
            now=now,
            changes={"identities": (None, TRIES)},
            establishment_id=side.establishment_id,
            session=session,
        )
        if side.establishment_id == by_school:
            side.held_until = until
        else:
            for mail in _write_guesses(_heads_of(session, [side.establishment_id])[side.establishment_id], trying):
                enqueue(mail, by=_MATCHING, now=now, session=session, establishment_id=side.establishment_id)
    session.flush()


def _write_guesses(addresses: Sequence[str], trying: School) -> list[Mail]:
    """Return the messages telling a school's heads which other school tried identities of one of their pupils."""
    body = (
        f"{name_school(trying)} a inscrit, en un jour, "
        f"un élève sous {TRIES} identités différentes et sous l’INE d’un de "
        "vos élèves. Rien n’a été copié, et rien n’a été dit de votre élève. Ses essais ne sont plus comparés "
        "pendant un jour.\n"
        "Il corrige peut-être une erreur de saisie ; sinon, demandez-lui pourquoi. Le journal de votre établissement "
        "garde la date, et la page du transfert dit où il en est :\n"
        f"{public_link(FOLLOW_UP)}\n"
    )
    return [Mail(address, "Un établissement a essayé plusieurs identités d’un élève", body) for address in addresses]


def _write_first_transfers(addresses: Sequence[str], school: School, others: Sequence[School]) -> list[Mail]:
    """Return the messages telling a school's heads with which schools it exchanged records for the first time.

    `addresses` are those of its heads, as returned by `_heads_of`.
    """
    names = "\n".join(f"— {name_school(other)}" for other in others)
    body = (
        f"Pour la première fois, les données d’élèves ont été transférées entre "
        f"{name_school(school)} et :\n\n{names}\n\n"
        "Un élève qui change d’établissement emporte ses fiches validées, ses évaluations et ses bilans ; "
        "l’établissement qu’il quitte garde les siens.\n"
        "Le détail des transferts, avec leurs dates et leurs nombres, est ici :\n"
        f"{public_link(FOLLOW_UP)}\n\n"
        "L’établissement qui a reçu des données peut annuler un transfert pendant 30 jours. Chaque établissement peut "
        "désactiver les transferts à tout moment, dans Paramètres, onglet Transferts.\n"
    )
    return [Mail(address, "Premier transfert avec un autre établissement", body) for address in addresses]


def _write_offers(addresses: Sequence[str], school: School, source: School, pupils: int) -> list[Mail]:
    """Return the messages telling a school's heads that pupils are offered to it."""
    body = (
        f"{name_school(source)} propose de transmettre à votre établissement les données de "
        f"{plural(pupils, 'élève parti de chez lui', 'élèves partis de chez lui')}.\n"
        "Acceptez en désignant l’élève dans votre établissement, ou refusez :\n"
        f"{public_link(FOLLOW_UP)}\n\n"
        "Sans réponse, la proposition expire après 60 jours.\n"
    )
    return [Mail(address, "Des données d’élèves vous sont proposées", body) for address in addresses]


def _heads_of(session: Session, school_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the e-mail addresses of heads by school: their own, or else the school's."""
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


def name_school(school: School | Establishment) -> str:
    """Return a school as another reads of it: « Lycée Ada Lovelace (0999001A) », or by its UAI where it has no name."""
    if not school.name:
        return f"l’établissement {school.uai or ''}".strip()
    return f"{school.name} ({school.uai})" if school.uai else school.name
