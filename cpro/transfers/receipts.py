"""The receipt of a transfer: what was copied, when, between which schools; figures, never content."""

from __future__ import annotations

from datetime import datetime

from cpro.core.documents import render_pdf
from cpro.core.formatting import format_instant
from cpro.establishments.models import Establishment
from cpro.transfers.models import Direction, TransferSide, TransferState


def render_receipt(side: TransferSide, school: Establishment, *, now: datetime) -> bytes:
    """Return the receipt of a completed transfer, for one of its two schools, as a PDF/UA-1."""
    return render_pdf("transfers/receipt.typ", receipt_data(side, school, now=now))


def receipt_data(side: TransferSide, school: Establishment, *, now: datetime) -> dict[str, object]:
    """Return the data that the template reads. Raises `ValueError` for a transfer that was never completed."""
    if side.done_at is None:
        raise ValueError(f"nothing was copied by the transfer of side {side.id}: there is no receipt")
    ours = {"name": school.name, "uai": school.uai or ""}
    theirs = {"name": side.other_name, "uai": side.other_uai}
    is_received = side.direction is Direction.DESTINATION
    return {
        "holder": school.name,
        "pupil": side.student_label,
        "source": theirs if is_received else ours,
        "destination": ours if is_received else theirs,
        "done_at": format_instant(side.done_at, school.timezone),
        "figures": [
            {"label": "Fiches", "count": side.fiches},
            {"label": "Bilans", "count": side.bilans},
            {"label": "Évaluations", "count": side.evaluations},
        ],
        "decided": _decided(side, school),
        "cancelled": _cancelled(side, school),
        "printed_at": format_instant(now, school.timezone),
    }


def _decided(side: TransferSide, school: Establishment) -> str:
    if not side.decided_by or side.decided_at is None or side.state is TransferState.CANCELLED:
        return ""
    return f"{side.decided_by}, le {format_instant(side.decided_at, school.timezone)}"


def _cancelled(side: TransferSide, school: Establishment) -> str:
    if side.state is not TransferState.CANCELLED:
        return ""
    return format_instant(side.decided_at or side.changed_at, school.timezone)
