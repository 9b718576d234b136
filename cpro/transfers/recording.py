"""Write the journal lines of transfers: figures and names, never what was copied."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cpro.audit.operations import About, Line, record, record_each
from cpro.core.among import is_among
from cpro.core.formatting import plural
from cpro.core.permissions import Actor
from cpro.establishments.queries import lock_current_establishment
from cpro.transfers.copies import CopiedRecords
from cpro.transfers.errors import NotNow
from cpro.transfers.models import Direction, TransferSide
from cpro.transfers.queries import CHECKED, is_to_check


def record_copies(
    session: Session,
    establishment_ids: Collection[int],
    way: Direction,
    transfer_ids: Collection[int],
    *,
    named: Callable[[int], Actor],
    now: datetime,
) -> None:
    """Record in the journals of schools what some transfers copied to them, or from them.

    One line per school, in a platform session; `named` returns the actor shown in a school's journal. A single pupil is
    named, and so is a single school, as on the sides of the school; for several, only their number is given.
    """
    found = session.execute(
        select(
            TransferSide.establishment_id,
            func.count().label("pupils"),
            func.min(TransferSide.student_label).label("pupil"),
            func.count(TransferSide.other_name.concat(TransferSide.other_uai).distinct()).label("schools"),
            func.min(TransferSide.other_name).label("name"),
            func.min(TransferSide.other_uai).label("uai"),
            *(func.sum(column).label(column.key) for column in _COUNTED),
        )
        .where(
            is_among(TransferSide.establishment_id, establishment_ids),
            TransferSide.direction == way,
            is_among(TransferSide.transfer_id, transfer_ids),
        )
        .group_by(TransferSide.establishment_id)
        .order_by(TransferSide.establishment_id)
    )
    is_received = way is Direction.DESTINATION
    lines = [
        Line(
            row.establishment_id,
            About("transfers", row.establishment_id, _describe(row, "depuis" if is_received else "vers")),
            named(row.establishment_id),
            audit_changes(row.pupils, CopiedRecords(row.fiches, row.bilans, row.evaluations)),
        )
        for row in found
    ]
    record_each("transfer:received" if is_received else "transfer:sent", lines, now=now, session=session)


def record_checked(side: TransferSide, *, by: Actor, now: datetime) -> None:
    """Record that a person checked the first transfer with a school. Raises `NotNow` if they have none to check."""
    lock_current_establishment()
    if not is_to_check(side, now, reader=by):
        raise NotNow("Ce transfert n’est plus à vérifier.")
    record(CHECKED, About("transfer", side.id, side.student_label), by=by, now=now)


def _describe(row: Any, preposition: str) -> str:
    """Return « TOPAZE Lou, vers Lycée … (0999002X) », or how many pupils and schools."""
    who = row.pupil if row.pupils == 1 else plural(row.pupils, "élève", "élèves")
    alone = f"{row.name} ({row.uai})" if row.name and row.uai else row.name or row.uai or "un autre établissement"
    return f"{who}, {preposition} {alone if row.schools == 1 else f'{row.schools} établissements'}"


def named_to(by: Actor, *, is_own: bool, otherwise: str) -> Actor:
    """Return the actor shown in a school's journal: its own people, the platform, or `otherwise` for people of another.

    Neither a person's name nor their network address is shown to another school.
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
