"""Offer pupils when one of two schools does not use SIECLE; the destination school links them and accepts.

This is the only way without an INE; the actions below refuse every other pair of schools. An offer shows the
destination school the name and birth date of a pupil, for linking; both are erased there once it is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.errors import DomainError, FieldErrors
from cpro.core.formatting import join_french, upper_first
from cpro.core.permissions import Actor
from cpro.core.transactions import lock_schools
from cpro.core.validators import normalise_uai
from cpro.establishments.models import Establishment
from cpro.students.models import Student
from cpro.transfers.errors import IdentityDiffers, NotNow, TransfersOff
from cpro.transfers.identity import Pupil, find_disagreements
from cpro.transfers.lifecycle import Event, find_refusal, get_end_state
from cpro.transfers.locked import (
    close_offer,
    follow,
    judge_again,
    lock_for,
    lock_transfer,
    note_decision,
    record_on_both_sides,
)
from cpro.transfers.matching import load_pupils, load_schools
from cpro.transfers.models import Direction, Transfer, TransferSide, TransferState
from cpro.transfers.notifications import name_school, notify_of_offer
from cpro.transfers.pairs import School
from cpro.transfers.recording import named_to
from cpro.transfers.verdicts import describe_pupil, make_search_key

#: How long an offer stays open.
OFFER_PERIOD = timedelta(days=60)
#: How many pupils one action may offer: somewhat more than a division.
MAX_OFFERED = 200


def offer(
    session: Session, *, establishment_id: int, student_ids: Sequence[int], uai: str, by: Actor, now: datetime
) -> list[TransferSide]:
    """Offer departed pupils to the school of a UAI; return the offering school's sides, in the order given.

    Raises `FieldErrors` on `uai` (malformed, unknown, one's own, transfers off there, both use SIECLE) or on
    `students` (none, still present, already offered or transferred there), `TransfersOff`.
    """
    destination_id = _find_destination(session, establishment_id, uai)
    lock_schools(session, [establishment_id, destination_id])
    schools = load_schools(session, [establishment_id, destination_id])
    source, destination = schools[establishment_id], schools[destination_id]
    _check_schools(source, destination)
    pupils = _departed(session, source.id, student_ids)
    _refuse_known(session, [pupil.id for pupil in pupils], destination)
    sides = [_write_offer(session, pupil, source, destination, now) for pupil in pupils]
    for school, other in sorted(((source, destination), (destination, source)), key=lambda each: each[0].id):
        _record_offers(session, school, other, len(pupils), own=school is source, by=by, now=now)
    sender = named_to(by, is_own=False, otherwise=source.name)
    notify_of_offer(session, destination, source, len(pupils), by=sender, now=now)
    return sides


def accept(
    session: Session,
    *,
    establishment_id: int,
    side_id: int,
    student_id: int,
    confirmed: bool = False,
    by: Actor,
    now: datetime,
) -> TransferSide:
    """Accept an OFFERED pupil, for the destination school, as one of its active pupils; copy, and return the side.

    Raises `IdentityDiffers` unless names and birth dates agree or it is confirmed, `NoSuchTransfer`, `NotNow`,
    `TransfersOff`, `FieldErrors` on `student`.
    """
    locked = lock_for(Event.ACCEPT, session, establishment_id=establishment_id, side_id=side_id, now=now)
    found = load_pupils(session, [student_id, locked.transfer.source_student_id])
    chosen, offered = found.get(student_id), found.get(locked.transfer.source_student_id)
    if chosen is None or chosen.establishment_id != establishment_id or not chosen.is_active:
        raise FieldErrors({"student": "Choisissez un élève présent dans votre établissement."})
    if offered is None:
        raise NotNow("L’établissement d’origine n’a plus cet élève : la proposition est sans objet.")
    _refuse_second(session, offered, chosen)
    disagreements = find_disagreements(offered, chosen)
    if disagreements and not confirmed:
        what = join_french([each.label for each in disagreements])
        raise IdentityDiffers(f"{what} {'diffère' if len(disagreements) == 1 else 'diffèrent'}")
    close_offer(locked)
    locked.side.student_id, locked.side.student_label = chosen.id, describe_pupil(chosen)
    locked.side.search_key = make_search_key(locked.side.student_label, locked.side.other_name, locked.side.other_uai)
    locked.transfer.destination_student_id = chosen.id
    locked.transfer.agreed_at, locked.transfer.confirmed_at = locked.transfer.created_at, now
    note_decision(locked, by=by, now=now)
    copied = judge_again(session, locked, Event.ACCEPT, now=now)
    record_on_both_sides(session, locked, "accepted", copied=copied, by=by, now=now)
    return locked.side


def take_back(session: Session, *, establishment_id: int, side_id: int, by: Actor, now: datetime) -> TransferSide:
    """Take back, for the source school, an offer not answered yet. Raises `NoSuchTransfer`, `NotNow`."""
    locked = lock_for(Event.TAKE_BACK, session, establishment_id=establishment_id, side_id=side_id, now=now)
    close_offer(locked)
    follow(locked, Event.TAKE_BACK, by=by, now=now)
    record_on_both_sides(session, locked, "withdrawn", by=by, now=now)
    return locked.side


def expire(session: Session, transfer_id: int, *, by: Actor, now: datetime) -> bool:
    """Close an offer that was not answered in time; return whether it was still open."""
    side = session.scalars(
        select(TransferSide).where(TransferSide.transfer_id == transfer_id, TransferSide.direction == Direction.SOURCE)
    ).one_or_none()
    if side is None:
        return False
    locked = lock_transfer(session, establishment_id=side.establishment_id, side_id=side.id)
    if find_refusal(Event.EXPIRE, locked.side, now=now):
        return False
    close_offer(locked)
    follow(locked, Event.EXPIRE, by=by, now=now)
    for each in locked.sides:
        each.decided_by = each.decided_in = ""
    record_on_both_sides(session, locked, "expired", by=by, now=now)
    return True


# --- Rules ---------------------------------------------------------------------------------------------------------


def _find_destination(session: Session, establishment_id: int, typed: str) -> int:
    try:
        uai = normalise_uai(typed)
    except DomainError as refusal:
        raise FieldErrors({"uai": refusal.message}) from None
    if not uai:
        raise FieldErrors({"uai": "Indiquez le code UAI de l’établissement d’accueil."})
    found = session.scalars(select(Establishment.id).where(Establishment.uai == uai)).one_or_none()
    if found is None:
        raise FieldErrors({"uai": f"Aucun établissement de la plateforme ne porte le code UAI {uai} : vérifiez-le."})
    if found == establishment_id:
        raise FieldErrors({"uai": "Ce code est celui de votre établissement : indiquez celui de l’accueil."})
    return found


def _check_schools(source: School, destination: School) -> None:
    if not source.transfers_enabled:
        raise TransfersOff
    if not destination.transfers_enabled:
        raise FieldErrors(
            {"uai": f"L’établissement {destination.uai} n’a pas activé les transferts : il ne peut rien recevoir."}
        )
    if source.uses_siecle and destination.uses_siecle:
        raise FieldErrors(
            {
                "uai": f"Votre établissement et l’établissement {destination.uai} utilisent SIECLE : leurs élèves sont "
                "reconnus par l’INE, sans proposition."
            }
        )


def _departed(session: Session, establishment_id: int, student_ids: Sequence[int]) -> list[Pupil]:
    wanted = list(dict.fromkeys(student_ids))
    if not wanted:
        raise FieldErrors({"students": "Choisissez au moins un élève."})
    if len(wanted) > MAX_OFFERED:
        raise FieldErrors({"students": f"Proposez au plus {MAX_OFFERED} élèves à la fois."})
    own = set(
        session.scalars(select(Student.id).where(Student.establishment_id == establishment_id, Student.id.in_(wanted)))
    )
    pupils = load_pupils(session, own)
    if own != set(wanted) or any(pupil.is_active for pupil in pupils.values()):
        raise FieldErrors({"students": "Choisissez parmi les élèves partis de votre établissement."})
    return [pupils[id_] for id_ in wanted]


def _refuse_known(session: Session, student_ids: Sequence[int], destination: School) -> None:
    known = session.scalars(
        select(TransferSide.student_label)
        .join(Transfer, Transfer.id == TransferSide.transfer_id)
        .where(
            TransferSide.direction == Direction.SOURCE,
            Transfer.is_current,
            Transfer.source_student_id.in_(student_ids),
            (Transfer.state == TransferState.OFFERED)
            | ((Transfer.state == TransferState.DONE) & (Transfer.destination_id == destination.id)),
        )
        .limit(1)
    ).first()
    if known is not None:
        raise FieldErrors({"students": f"{known} est déjà proposé à un établissement, ou transféré dans celui-ci."})


def _refuse_second(session: Session, offered: Pupil, chosen: Pupil) -> None:
    second = session.scalars(
        select(Transfer.id).where(
            Transfer.is_current,
            Transfer.source_student_id == offered.id,
            Transfer.destination_student_id == chosen.id,
        )
    ).first()
    if second is not None:
        raise NotNow("Un transfert existe déjà entre ces deux élèves : voyez-le dans la liste.")


def _write_offer(session: Session, pupil: Pupil, source: School, destination: School, now: datetime) -> TransferSide:
    transfer = Transfer(
        source_id=source.id,
        source_student_id=pupil.id,
        destination_id=destination.id,
        state=get_end_state(Event.OFFER),
        is_offer=True,
        created_at=now,
        expires_at=now + OFFER_PERIOD,
    )
    session.add(transfer)
    session.flush()
    label = describe_pupil(pupil)
    sides = {
        direction: TransferSide(
            establishment_id=own.id,
            transfer_id=transfer.id,
            direction=direction,
            student_label=label,
            other_name=other.name,
            other_uai=other.uai or "",
            search_key=make_search_key(label, other.name, other.uai),
            state=transfer.state,
            is_offer=True,
            created_at=now,
            changed_at=now,
            expires_at=transfer.expires_at,
        )
        for direction, own, other in (
            (Direction.SOURCE, source, destination),
            (Direction.DESTINATION, destination, source),
        )
    }
    sides[Direction.SOURCE].student_id = pupil.id
    sides[Direction.DESTINATION].offered_birth_date = pupil.birth_date
    session.add_all(sides.values())
    session.flush()
    return sides[Direction.SOURCE]


def _record_offers(
    session: Session, school: School, other: School, pupils: int, *, own: bool, by: Actor, now: datetime
) -> None:
    record(
        "transfer:offered" if own else "transfer:offer-received",
        About("transfers", school.id, other.uai or other.name),
        by=named_to(by, is_own=own, otherwise=upper_first(name_school(other))),
        now=now,
        changes={"pupils": (None, pupils)},
        establishment_id=school.id,
        session=session,
    )
