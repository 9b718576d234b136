"""What the dashboard shows of transfers: the decisions that wait, the first ones with a school, the chart of months."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import url_for

from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.formatting import DEFAULT_TIMEZONE, format_count, format_instant, plural
from cpro.core.permissions import Permission
from cpro.core.web.checklist import ChecklistItem
from cpro.establishments.queries import get_current_establishment
from cpro.transfers import queries
from cpro.transfers.lifecycle import CANCEL_PERIOD

#: How many months the chart shows, the present one among them.
_MONTHS = 6
_MONTH_NAMES = ("janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_FIRSTS_SHOWN = 3


def list_transfer_items() -> list[ChecklistItem]:
    """Return a line for each kind of decision that waits, then the first transfers."""
    return [*_decisions(), *_firsts()]


def _decisions() -> list[ChecklistItem]:
    """Return a line for each kind of decision that waits for the school."""
    waiting = queries.count_to_decide()
    lines = (
        (
            waiting.conflicts,
            "Confirmer des identités",
            "Le même INE, mais un nom, un prénom ou une date de naissance différents : rien n’est copié sans votre "
            "confirmation, puis l’accord de l’établissement d’origine.",
        ),
        (
            waiting.agreements,
            "Donner votre accord à des transferts",
            "Ces anciens élèves sont arrivés ailleurs sans passer par SIECLE, ou sous une autre identité : leurs "
            "données attendent votre accord.",
        ),
        (
            waiting.offers,
            "Répondre aux élèves proposés",
            "Un établissement vous propose les données d’élèves partis chez vous : rattachez-les, ou refusez.",
        ),
        (
            waiting.blocked,
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
    """Show the first transfer with another school, for as long as it may be cancelled."""
    now, zone = clock.utcnow(), get_current_establishment().timezone
    return [
        ChecklistItem(
            f"Premier transfert avec l’établissement {first.other_uai or first.other_name}",
            f"{first.other_name or 'Cet établissement'}, le {format_instant(first.done_at, zone)}. "
            "Vérifiez que cet échange est attendu.",
            done=True,
            link_url=url_for("transfers.show", side_id=first.side_id),
            link_label="Voir",
        )
        for first in queries.list_first_transfers(now - CANCEL_PERIOD, limit=_FIRSTS_SHOWN)
    ]


def draw_transfers_by_month() -> Chart | None:
    """Return the chart of the transfers of the last months in the school's timezone; None before the first one."""
    zone = ZoneInfo(get_current_establishment().timezone or DEFAULT_TIMEZONE)
    firsts = _first_days(clock.utcnow().astimezone(zone))
    counts = queries.count_by_month(firsts)
    received, sent = sum(each[0] for each in counts), sum(each[1] for each in counts)
    if not received and not sent:
        return None
    return Chart(
        key="transferts",
        title="Transferts par mois",
        summary=f"{plural(received, 'transfert reçu', 'transferts reçus')} et {plural(sent, 'envoyé', 'envoyés')} "
        "depuis six mois.",
        heading="Mois",
        categories=[f"{_MONTH_NAMES[first.month - 1]} {first.year % 100:02}" for first in firsts[:-1]],
        series=[
            Series("Reçus", [each[0] for each in counts]),
            Series("Envoyés", [each[1] for each in counts]),
        ],
    )


def _first_days(now: datetime) -> list[datetime]:
    """Return the first instant of each month shown, and of the month after."""
    first = datetime.combine(now.date().replace(day=1), time(), now.tzinfo)
    months = [first]
    while len(months) < _MONTHS:
        before = (months[0] - timedelta(days=1)).replace(day=1)
        months.insert(0, datetime.combine(before.date(), time(), now.tzinfo))
    after = (first.date() + timedelta(days=32)).replace(day=1)
    return [*months, datetime.combine(after, time(), now.tzinfo)]
