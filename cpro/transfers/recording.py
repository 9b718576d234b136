"""The lines that transfers write in the journals of schools: figures and names, never what was copied."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.audit.operations import About, record
from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.transfers.copies import CopiedRecords
from cpro.transfers.models import Direction, TransferSide


def record_copies(
    session: Session,
    establishment_id: int,
    way: Direction,
    transfer_ids: Collection[int],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Record in a school's journal what it received, or what followed its pupils, by some transfers, in one line.

    A pupil alone is named, and so is a school alone, as the sides of the school name them; of several, how many.
    """
    sides = (
        TransferSide.establishment_id == establishment_id,
        TransferSide.direction == way,
        TransferSide.transfer_id.in_(transfer_ids),
    )
    row = session.execute(
        select(
            func.count().label("pupils"),
            func.min(TransferSide.student_label).label("pupil"),
            func.count(TransferSide.other_name.concat(TransferSide.other_uai).distinct()).label("schools"),
            func.min(TransferSide.other_name).label("name"),
            func.min(TransferSide.other_uai).label("uai"),
            *(func.sum(column).label(column.key) for column in _COUNTED),
        ).where(*sides)
    ).one()
    who = row.pupil if row.pupils == 1 else plural(row.pupils, "élève", "élèves")
    named = f"{row.name} ({row.uai})" if row.name and row.uai else row.name or row.uai or "un autre établissement"
    other = named if row.schools == 1 else f"{row.schools} établissements"
    is_received = way is Direction.DESTINATION
    record(
        "transfer:received" if is_received else "transfer:sent",
        About("transfers", establishment_id, f"{who}, {'depuis' if is_received else 'vers'} {other}"),
        by=by,
        now=now,
        changes=audit_changes(row.pupils, CopiedRecords(row.fiches, row.bilans, row.evaluations)),
        establishment_id=establishment_id,
        session=session,
    )


def named_to(by: Actor, *, is_own: bool, otherwise: str) -> Actor:
    """Return whom the journal of a school names: its own people, the platform, or `otherwise` for another's.

    Neither the name of a person nor the address they acted from is shown to another school.
    """
    return by if is_own or by.kind == "system" else Actor("system", None, otherwise, "system", "")


def audit_changes(pupils: int, copied: CopiedRecords) -> dict[str, tuple[Any, Any]]:
    """Return the figures of an audit line: those that are not zero."""
    figures = {
        "pupils": pupils,
        "fiches": copied.fiches,
        "bilans": copied.bilans,
        "evaluations": copied.evaluations,
    }
    return {name: (None, number) for name, number in figures.items() if number}


_COUNTED = (TransferSide.fiches, TransferSide.bilans, TransferSide.evaluations)
