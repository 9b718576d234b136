"""Generated screen: the transfers of the school, read and exported; decisions are made on their own pages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from flask import url_for

from cpro.core.permissions import Permission
from cpro.core.web.screens import Column, Screen, choice
from cpro.transfers.models import UNNAMED, Direction, TransferSide, TransferState
from cpro.transfers.web.presenters import describe_way, get_level

_TOWARDS = TransferSide.direction.__eq__
_WAYS = (
    ("recus", "vers votre établissement", partial(_TOWARDS, Direction.DESTINATION)),
    ("envoyes", "vers un autre", partial(_TOWARDS, Direction.SOURCE)),
)


_WAY = Column("way", "Sens", partial(describe_way, alone=True), needs=("state", "direction"))


class TransfersScreen(Screen):
    """The transfers of the school in any state, latest first; figures, never content."""

    permission, export_permission = Permission.TRANSFERS_VIEW, Permission.RECORDS_EXPORT
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
        *("student_label", _WAY, "other_name"),
        *("other_uai", "state", "done_at", "fiches", "bilans", "evaluations"),
        *("decided_by", "decided_at", "reason", "changed_at"),
    )
    levels: ClassVar = {state.label: get_level(state) for state in TransferState}
    filters = (choice("sens", "Sens", "les deux", _WAYS), "state", "other_uai", "done_at")

    def label_of(self, row: TransferSide) -> str:
        """Return the label of a transfer: its pupil and the other school, in either direction."""
        return f"{row.student_label}, {describe_way(row).lower()}\u202f: {row.other_uai or row.other_name or UNNAMED}"

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Link to the page where transfers are followed and decided."""
        return [("Transferts effectués et en cours", url_for("transfers.index"))]

    def row_links(self, row: TransferSide) -> list[tuple[str, str]]:
        """Link to the timeline."""
        return [("Où il en est", url_for("transfers.show", side_id=row.id))]
