"""Transfers on the dashboard: pending decisions, first transfers with a school, and the chart by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from flask import url_for

from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.counts import Counted
from cpro.core.formatting import (
    DEFAULT_TIMEZONE,
    describe_change,
    format_count,
    format_day_of,
    format_instant,
    join_french,
    plural,
    upper_first,
)
from cpro.core.permissions import Permission
from cpro.core.web.checklist import Asked, ChecklistItem, Figures
from cpro.core.web.current_user import get_principal
from cpro.establishments.queries import get_current_establishment
from cpro.transfers import queries
from cpro.transfers.lifecycle import CANCEL_PERIOD
from cpro.transfers.models import Direction, TransferState

#: How many months the chart shows, the current one included.
_MONTHS = 6
_MONTH_NAMES = ("janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_FIRSTS_SHOWN = 3
#: Upper bound on the transfers counted in a month: each transfer counted is read.
_MOST_IN_A_MONTH = 1_000


def count_transfers() -> Asked:
    """Return the counts needed by the lines and the chart."""
    months = list(enumerate(pairwise(_first_days(_now()))))
    return {
        "conflicts": Counted(queries.select_in_state(Direction.DESTINATION, TransferState.CONFLICT)),
        "agreements": Counted(queries.select_in_state(Direction.SOURCE, TransferState.AGREEMENT)),
        "offers": Counted(queries.select_in_state(Direction.DESTINATION, TransferState.OFFERED)),
        "blocked": Counted(queries.select_blocked()),
        **{
            f"{direction.value} {n}": Counted(queries.select_done_between(*month, direction), _MOST_IN_A_MONTH)
            for direction in Direction
            for n, month in months
        },
    }


def list_transfer_items(figures: Figures) -> list[ChecklistItem]:
    """Return a line for each kind of pending decision, then the first transfers."""
    return [*_decisions(figures), *_firsts()]


def _decisions(figures: Figures) -> list[ChecklistItem]:
    """Return a line for each kind of decision that waits for the school."""
    lines = (
        (
            figures["conflicts"],
            "Confirmer des identités",
            "Le même INE, mais un nom, un prénom ou une date de naissance différents : rien n’est copié sans votre "
            "confirmation, puis l’accord de l’établissement d’origine.",
        ),
        (
            figures["agreements"],
            "Donner votre accord à des transferts",
            "Ces anciens élèves sont arrivés ailleurs sans passer par SIECLE, ou sous une autre identité : leurs "
            "données attendent votre accord.",
        ),
        (
            figures["offers"],
            "Répondre aux élèves proposés",
            "Un établissement vous propose les données d’élèves partis chez vous : rattachez-les, ou refusez.",
        ),
        (
            figures["blocked"],
            "Corriger des INE présents deux fois",
            "Deux élèves présents portent le même INE : rien n’est copié avant qu’un import ne l’ait corrigé.",
        ),
    )
    return [
        ChecklistItem(
            title,
            detail,
            link_url=url_for("transfers.index", liste="en-cours"),
            link_label="Voir la liste",
            figure=format_count(count),
            act=Permission.TRANSFERS_MANAGE,
        )
        for count, title, detail in lines
        if count
    ]


def _firsts() -> list[ChecklistItem]:
    """Return the first transfers with other schools, until the reader checks them, while they may be cancelled."""
    now, zone = clock.utcnow(), get_current_establishment().timezone
    return [
        ChecklistItem(
            f"Premier transfert avec l’établissement {first.other_uai or first.other_name}",
            f"{first.other_name or 'Cet établissement'}, le {format_instant(first.done_at, zone)}. "
            f"Vérifiez que cet échange est attendu ; sinon, {_remedy(first)}, jusqu’au "
            f"{format_day_of(first.done_at + CANCEL_PERIOD, zone)}.",
            is_to_check=True,
            act=Permission.TRANSFERS_MANAGE,
            link_url=url_for("transfers.show", side_id=first.side_id),
            link_label="Vérifier",
        )
        for first in queries.list_first_transfers(now - CANCEL_PERIOD, reader=get_principal(), limit=_FIRSTS_SHOWN)
    ]


def _remedy(first: queries.FirstTransfer) -> str:
    """Return who may undo a transfer: only the school that received it."""
    if first.direction is Direction.DESTINATION:
        return "annulez-le depuis sa page"
    return "demandez à cet établissement de l’annuler"


def render_transfers_by_month(figures: Figures) -> Chart | None:
    """Return the chart of the transfers of the last months in the school's timezone; None before the first one."""
    received = [figures[f"{Direction.DESTINATION.value} {n}"] for n in range(_MONTHS)]
    sent = [figures[f"{Direction.SOURCE.value} {n}"] for n in range(_MONTHS)]
    if not sum(received) and not sum(sent):
        return None
    totals = (
        f"{plural(sum(received), 'transfert reçu', 'transferts reçus')} et {plural(sum(sent), 'envoyé', 'envoyés')} "
        "depuis six mois."
    )
    return Chart(
        key="transferts",
        title="Transferts par mois",
        summary=f"{upper_first(totals)}{_describe_last_month(received, sent)}",
        heading="Mois",
        categories=[f"{_MONTH_NAMES[first.month - 1]} {first.year % 100:02}" for first in _first_days(_now())[:-1]],
        series=[
            Series("Reçus", received),
            Series("Envoyés", sent),
        ],
    )


def _describe_last_month(received: Sequence[int], sent: Sequence[int]) -> str:
    """Return a sentence comparing the last whole month with the one before, or "" if that one had no transfers."""
    before, last = _MONTHS - 3, _MONTHS - 2
    parts = [
        f"{plural(each[last], *words)}{change}"
        for each, words in ((received, ("reçu", "reçus")), (sent, ("envoyé", "envoyés")))
        if (change := describe_change(each[last], each[before], "le mois d’avant"))
    ]
    return f" Le mois dernier\u202f: {join_french(parts)}." if parts else ""


def _now() -> datetime:
    """Return the current time in the school's time zone."""
    return clock.utcnow().astimezone(ZoneInfo(get_current_establishment().timezone or DEFAULT_TIMEZONE))


def _first_days(now: datetime) -> list[datetime]:
    """Return the first instant of each month shown, and of the month after."""
    first = datetime.combine(now.date().replace(day=1), time(), now.tzinfo)
    months = [first]
    while len(months) < _MONTHS:
        before = (months[0] - timedelta(days=1)).replace(day=1)
        months.insert(0, datetime.combine(before.date(), time(), now.tzinfo))
    after = (first.date() + timedelta(days=32)).replace(day=1)
    return [*months, datetime.combine(after, time(), now.tzinfo)]
