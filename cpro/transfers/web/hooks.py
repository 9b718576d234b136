"""Hooks of the feature: menu, help, what switching off stops, checklist, chart."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, url_for

from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.formatting import DEFAULT_TIMEZONE, format_count, format_instant, plural
from cpro.core.permissions import Permission
from cpro.core.web.registry import ChecklistItem, Consequence, MenuEntry, TabSection, registry
from cpro.establishments.queries import get_current_establishment
from cpro.transfers import dashboard, queries
from cpro.transfers.operations.cancellation import CANCEL_PERIOD

#: How many months the chart shows, the present one among them.
_MONTHS = 6
_MONTH_NAMES = ("janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_FIRSTS_SHOWN = 3


def register_hooks(app: Flask) -> None:
    """Register the menu line, the button of the tab, consequences, checklist and chart."""
    app_registry = registry(app)
    app_registry.add_menu_entry(
        MenuEntry(
            "Transferts",
            "transfers.index",
            Permission.TRANSFERS_VIEW,
            order=50,
            icon="transfer",
            covers=("transfers.*", "transferts.*"),
        )
    )
    app_registry.add_section("transfers-follow-up", TabSection("transfers/_tab_section.html", _tab_section))
    app_registry.add_consequences("transfers", _consequences)
    app_registry.add_consequences("transfers-off", _off_consequences)
    app_registry.add_checklist(_checklist)
    app_registry.add_chart(_by_month)


def _tab_section() -> dict[str, Any]:
    return {"url": url_for("transfers.index")}


def _consequences() -> list[Consequence]:
    figures = queries.count_sides()
    lines = []
    if figures.received or figures.sent:
        lines.append(
            Consequence(
                f"{plural(figures.received, 'transfert reçu', 'transferts reçus')} et "
                f"{plural(figures.sent, 'envoyé', 'envoyés')} à ce jour.",
                "ok",
            )
        )
    if figures.to_decide:
        verb = "attend votre décision" if figures.to_decide == 1 else "attendent votre décision"
        count = plural(figures.to_decide, "transfert", "transferts")
        lines.append(Consequence(f"{count} {verb}.", "warning", url_for("transfers.index"), "Décider"))
    if figures.waiting:
        count = plural(figures.waiting, "transfert attend", "transferts attendent")
        lines.append(
            Consequence(
                f"{count} l’autre établissement ou un import.",
                "info",
                url_for("transfers.index"),
                "Voir où ils en sont",
            )
        )
    return lines


def _off_consequences() -> list[Consequence]:
    """Say what switching off stops and what it keeps, to a school that has no transfer yet as to any other."""
    figures = queries.count_sides()
    pending, done = figures.to_decide + figures.waiting, figures.received + figures.sent
    lines = [
        Consequence("Dès la validation, plus rien n’est copié, ni vers votre établissement ni depuis lui.", "blocked")
    ]
    if pending:
        lines.append(
            Consequence(
                f"{plural(pending, 'transfert en cours s’arrête', 'transferts en cours s’arrêtent')} : "
                "l’autre établissement, s’il a activé les transferts, lira que vous ne l’avez pas fait.",
                "blocked",
            )
        )
    kept = (
        "Ce qui a déjà été copié reste où il est : "
        f"{plural(figures.received, 'transfert reçu', 'transferts reçus')}, "
        f"{plural(figures.sent, 'envoyé', 'envoyés')}. Le délai de 30 jours pour annuler continue de courir."
        if done
        else "Ce qui a déjà été copié reste où il est ; à ce jour, rien ne l’a été."
    )
    return [
        *lines,
        Consequence(kept),
        Consequence("Si vous les activez à nouveau, la recherche reprend ; rien n’est jamais copié deux fois.", "ok"),
    ]


def _checklist() -> list[ChecklistItem]:
    return [*_decisions(), *_firsts()]


def _decisions() -> list[ChecklistItem]:
    """Return a line for each kind of decision that waits for the school."""
    waiting = dashboard.count_to_decide()
    lines = (
        (
            waiting.conflicts,
            "Confirmer des identités",
            "Le même INE, mais un nom ou une date de naissance différents : rien n’est copié tant que vous n’avez pas "
            "confirmé ou refusé.",
        ),
        (
            waiting.agreements,
            "Donner votre accord à des transferts",
            "Ces anciens élèves sont arrivés ailleurs sans passer par SIECLE : leurs données attendent votre accord.",
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
            done=False,
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
        for first in dashboard.list_first_transfers(now - CANCEL_PERIOD, limit=_FIRSTS_SHOWN)
    ]


def _by_month() -> Chart | None:
    """Return the chart of the transfers of the last months in the school's timezone; None before the first one."""
    zone = ZoneInfo(get_current_establishment().timezone or DEFAULT_TIMEZONE)
    firsts = _first_days(clock.utcnow().astimezone(zone))
    counts = dashboard.count_by_month(firsts)
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
