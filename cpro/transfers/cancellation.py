"""Remove the copies of a transfer: the destination school cancels it, or the import that caused it is undone.

The copies of a reception are removed, except those used by an évaluation. A fiche that another reception's évaluation
refers to is kept, as part of that other reception: its school had it too.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from cpro.core.permissions import Actor
from cpro.extensions import db
from cpro.records.models import KINDS, Evaluation, Fiche
from cpro.transfers.copies import CopiedRecords, count_copied
from cpro.transfers.decisions import clean_reason
from cpro.transfers.errors import EvaluatedUpon
from cpro.transfers.lifecycle import Event
from cpro.transfers.locked import follow, lock_for, record_on_both_sides
from cpro.transfers.models import TransferSide
from cpro.transfers.verdicts import write_in_bulk


def cancel(
    session: Session,
    *,
    establishment_id: int,
    side_id: int,
    keep_evaluated: bool = False,
    reason: str = "",
    by: Actor,
    now: datetime,
) -> TransferSide:
    """Cancel a DONE transfer for the destination school, delete its copies there, and return the side.

    Fiches evaluated upon here prevent it (`EvaluatedUpon`), unless they are kept as the school's own. The pair is not
    copied again unless requested. Raises `NoSuchTransfer`, and `NotNow` when it is not done, too old or not theirs.
    """
    locked = lock_for(Event.CANCEL, session, establishment_id=establishment_id, side_id=side_id, now=now)
    typed = clean_reason(reason, required=False)
    receptions = [locked.side.id]
    evaluated = count_evaluated(session, establishment_id, receptions)
    if evaluated and not keep_evaluated:
        raise EvaluatedUpon(evaluated)
    taken = remove_copies(session, establishment_id, receptions)
    follow(locked, Event.CANCEL, reason=typed, by=by, now=now)
    locked.transfer.recorded_at = now
    changes = {"kept": (None, evaluated)} if evaluated else {}
    record_on_both_sides(session, locked, "cancelled", taken=taken, changes=changes, by=by, now=now)
    return locked.side


def count_evaluated(session: Session, establishment_id: int, side_ids: Collection[int]) -> int:
    """Return how many fiches of some receptions are referred to by an évaluation created in the school."""
    return (
        session.scalar(
            select(func.count(Fiche.id)).where(
                Fiche.establishment_id == establishment_id, Fiche.received_in.in_(side_ids), _is_named_here()
            )
        )
        or 0
    )


def count_evaluated_upon(side: TransferSide) -> int:
    """Return the same count for one reception, in the school's own session: cancelling must keep them or is refused."""
    return count_evaluated(db.session(), side.establishment_id, [side.id])


def remove_copies(session: Session, establishment_id: int, side_ids: Collection[int]) -> CopiedRecords:
    """Delete what some receptions copied to a school; fiches evaluated upon become its own.

    Return what was deleted. Works in a platform session as in the school's own.
    """
    mine = (Fiche.establishment_id == establishment_id, Fiche.received_in.in_(side_ids))
    write_in_bulk(session, update(Fiche).where(*mine, _is_named_here()).values(received_in=None))
    _hand_over(session, establishment_id, side_ids)
    taken = sum(count_copied(session, side_ids).values(), CopiedRecords())
    for kind in reversed(KINDS):  # évaluations first: they refer to fiches
        write_in_bulk(
            session, delete(kind).where(kind.establishment_id == establishment_id, kind.received_in.in_(side_ids))
        )
    return taken


def _hand_over(session: Session, establishment_id: int, side_ids: Collection[int]) -> None:
    """Reassign the fiches that évaluations of other receptions refer to, to those receptions."""
    heir = (
        select(func.min(Evaluation.received_in))
        .where(_names_fiche(Evaluation, Fiche), Evaluation.received_in.not_in(side_ids))
        .correlate(Fiche)
        .scalar_subquery()
    )
    mine = (Fiche.establishment_id == establishment_id, Fiche.received_in.in_(side_ids))
    write_in_bulk(session, update(Fiche).where(*mine, heir.is_not(None)).values(received_in=heir))


def _is_named_here() -> ColumnElement[bool]:
    """Return the condition of a fiche that an évaluation created in its school refers to."""
    named = aliased(Evaluation)
    return select(named.id).where(_names_fiche(named, Fiche), named.received_in.is_(None)).exists()


def _names_fiche(evaluation: type[Evaluation], fiche: type[Fiche]) -> ColumnElement[bool]:
    return and_(
        evaluation.establishment_id == fiche.establishment_id,
        evaluation.student_id == fiche.student_id,
        evaluation.fiche_uid == fiche.origin_uid,
    )
