"""Generated screen: the transfers of the school, read and exported; they are decided on their own pages."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import format_instant
from cpro.core.permissions import Permission
from cpro.core.web.registry import registry
from cpro.core.web.screens import Column, Filter, Screen, choice
from cpro.transfers.models import Direction, TransferSide, TransferState
from cpro.transfers.web.presenters import describe_way

_WAYS = ((Direction.DESTINATION, "recus", "vers votre établissement"), (Direction.SOURCE, "envoyes", "vers un autre"))
_TOWARDS, _IN_STATE = TransferSide.direction.__eq__, TransferSide.state.__eq__


def _start_of(day: date) -> datetime:
    return clock.start_of(day, registry().timezone())


def _end_of(day: date) -> datetime:
    return clock.end_of(day, registry().timezone())


def _instant(instant: datetime | None) -> str:
    return format_instant(instant, registry().timezone()) if instant else ""


class TransfersScreen(Screen):
    """The transfers of the school, whatever their state, the latest first; figures, never content."""

    permission = Permission.TRANSFERS_VIEW
    export_permission = Permission.RECORDS_EXPORT
    title, noun, object_type = "Transferts", ("transfert", "transferts"), "transfer"
    help_slug = "transferts"
    empty_text = (
        "Aucun transfert ne concerne encore votre établissement. Il en apparaît quand un import montre qu’un élève est "
        "passé d’un établissement à l’autre, et que les transferts sont activés."
    )
    search_keys = (TransferSide.search_key,)
    search_help = "Nom d’un élève, nom ou code UAI de l’autre établissement."
    default_order = (TransferSide.changed_at.desc(),)
    columns = (
        Column("pupil", "Élève", lambda row: row.student_label, (TransferSide.student_label,)),
        Column("way", "Sens", lambda row: describe_way(row, alone=True)),
        Column("other_name", "Autre établissement", lambda row: row.other_name, (TransferSide.other_name,)),
        Column("other_uai", "UAI", lambda row: row.other_uai, (TransferSide.other_uai,)),
        Column("state", "État", lambda row: row.state.label, (TransferSide.state,)),
        Column("done_at", "Effectué le", lambda row: _instant(row.done_at), (TransferSide.done_at,)),
        Column("fiches", "Fiches", lambda row: str(row.fiches), is_number=True),
        Column("bilans", "Bilans", lambda row: str(row.bilans), is_number=True),
        Column("evaluations", "Évaluations", lambda row: str(row.evaluations), is_number=True),
        Column("decided_by", "Décidé chez vous par", lambda row: row.decided_by, in_list=False),
        Column("decided_at", "Décidé le", lambda row: _instant(row.decided_at), in_list=False),
        Column("reason", "Raison", lambda row: row.reason, in_list=False),
        Column("changed_at", "Dernier changement", lambda row: _instant(row.changed_at), in_list=False),
    )
    filters = (
        choice(
            "sens",
            "Sens",
            "dans les deux sens",
            [(key, label, partial(_TOWARDS, way)) for way, key, label in _WAYS],
        ),
        choice(
            "etat",
            "État",
            "tous les états",
            [(state.value.replace("_", "-"), state.label, partial(_IN_STATE, state)) for state in TransferState],
        ),
        Filter("uai", "UAI", where=lambda text: TransferSide.other_uai == text.upper()),
        Filter("du", "Effectués depuis le", where=lambda day: TransferSide.done_at >= _start_of(day), day="from"),
        Filter("au", "Effectués jusqu’au", where=lambda day: TransferSide.done_at < _end_of(day), day="from"),
    )

    def label_of(self, row: TransferSide) -> str:
        """Return what people call a transfer: its pupil and the other school, in either direction."""
        return f"{row.student_label}, {describe_way(row).lower()}\u202f: {row.other_uai or row.other_name}"

    def list_links(self) -> list[tuple[str, str]]:
        """Lead to the page where transfers are followed and decided."""
        return [("Transferts effectués et en cours", url_for("transfers.index"))]

    def row_links(self, row: TransferSide) -> list[tuple[str, str]]:
        """Lead to the timeline."""
        return [("Où il en est", url_for("transfers.show", side_id=row.id))]
