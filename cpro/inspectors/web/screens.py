"""Generated screen: the mandates, read and exported; they are opened and closed in Paramètres."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import format_date
from cpro.core.permissions import Permission
from cpro.core.shown import words_of
from cpro.core.web.current_user import may
from cpro.core.web.registry import registry
from cpro.core.web.screens import Column, Filter, Screen
from cpro.inspectors.models import Mandate, MandateState
from cpro.inspectors.queries import WITH_DIPLOMAS, is_in_state
from cpro.inspectors.web.presenters import describe_diplomas


def _today() -> date:
    return clock.today_in(registry().timezone(), clock.utcnow())


class MandatesScreen(Screen):
    """The mandates of the school, the latest first."""

    permission, export_permission = Permission.MANDATES_VIEW, Permission.RECORDS_EXPORT
    title, noun, object_type = "Accès inspecteur", ("accès", "accès"), "mandate"
    help_slug, under_tab = "inspecteurs", "inspectors.index"
    empty_text = "Aucun accès inspecteur n’a encore été ouvert."
    options = (WITH_DIPLOMAS,)
    default_order = (Mandate.starts_on.desc(),)
    columns = (
        *("inspector_name", "email", Column("diplomas", "Diplômes", describe_diplomas), "starts_on", "ends_on"),
        Column("state", "État", lambda row: row.state_on(_today()).label),
        *("purpose", "opened_by_label", "opened_at", "closed_at", "closed_by_label", "closing_reason"),
    )
    levels: ClassVar = {each.label: "ok" if each is MandateState.RUNNING else "info" for each in MandateState}
    filters = (
        Filter(
            "etat",
            "État",
            "tous les accès",
            where=lambda state: is_in_state(MandateState(state), _today()),
            choices=words_of(MandateState),
        ),
    )

    def label_of(self, row: Mandate) -> str:
        """Return the inspector's name, as the school typed it, and the first day."""
        return f"{row.inspector_name}, à partir du {format_date(row.starts_on)}"

    def row_links(self, row: Mandate) -> list[tuple[str, str]]:
        """Return the link to what the inspector consulted, for people who may read it."""
        consultations = ("Consultations", url_for("inspectors.consultations", mandate_id=row.id))
        return [consultations] if may(Permission.CONSULTATIONS_VIEW) else []
