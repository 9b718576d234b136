"""Generated screen: the mandates, read and exported; they are opened and closed in Paramètres."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from flask import url_for
from sqlalchemy import ColumnElement

from cpro.core import clock
from cpro.core.formatting import format_date, format_instant
from cpro.core.permissions import Permission, can
from cpro.core.web.current_user import current_principal
from cpro.core.web.registry import registry
from cpro.core.web.screens import Column, Screen, choice
from cpro.inspectors.models import Mandate, MandateState
from cpro.inspectors.queries import WITH_DIPLOMAS, is_in_state
from cpro.inspectors.web.presenters import describe_diplomas


def _today() -> date:
    return clock.today_in(registry().timezone(), clock.utcnow())


def _where(state: MandateState) -> ColumnElement[bool]:
    return is_in_state(state, _today())


class MandatesScreen(Screen):
    """The mandates of the school, the latest first."""

    permission = Permission.MANDATES_VIEW
    export_permission = Permission.RECORDS_EXPORT
    title, noun, object_type = "Accès inspecteur", ("accès", "accès"), "mandate"
    help_slug = "inspecteurs"
    empty_text = "Aucun accès inspecteur n’a encore été ouvert."
    options = (WITH_DIPLOMAS,)
    default_order = (Mandate.starts_on.desc(),)
    columns = (
        Column("name", "Inspecteur", lambda row: row.inspector_name, (Mandate.inspector_name,)),
        Column("email", "Adresse", lambda row: row.email, in_list=False),
        Column("diplomas", "Diplômes", describe_diplomas),
        Column("starts_on", "Du", lambda row: format_date(row.starts_on), (Mandate.starts_on,)),
        Column("ends_on", "Au", lambda row: format_date(row.ends_on), (Mandate.ends_on,)),
        Column("state", "État", lambda row: row.state_on(_today()).label),
        Column("purpose", "Objet", lambda row: row.purpose, in_list=False),
        Column("opened_by", "Ouvert par", lambda row: row.opened_by_label, in_list=False),
        Column("opened_at", "Ouvert le", lambda row: _instant(row.opened_at), in_list=False),
        Column("closed_at", "Fermé le", lambda row: _instant(row.closed_at), in_list=False),
        Column("closed_by", "Fermé par", lambda row: row.closed_by_label, in_list=False),
        Column("reason", "Raison de la fermeture", lambda row: row.closing_reason, in_list=False),
    )
    filters = (
        choice(
            "etat",
            "État",
            "tous les accès",
            [(state.value, state.label, partial(_where, state)) for state in MandateState],
        ),
    )

    def label_of(self, row: Mandate) -> str:
        """Return the inspector's name, as the school typed it, and the first day."""
        return f"{row.inspector_name}, à partir du {format_date(row.starts_on)}"

    def row_links(self, row: Mandate) -> list[tuple[str, str]]:
        """Return the link to what the inspector consulted, for those who may read it."""
        if not can(current_principal(), Permission.CONSULTATIONS_VIEW):
            return []
        return [("Consultations", url_for("inspectors.consultations", mandate_id=row.id))]


def _instant(instant: datetime | None) -> str:
    return format_instant(instant, registry().timezone()) if instant else ""
