"""The dashboard items of the school itself: the lines of its particulars, the chart of activity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from flask import url_for

from cpro.audit.queries import select_between
from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.counts import Counted
from cpro.core.formatting import DEFAULT_TIMEZONE, describe_change, format_date, join_french, plural, upper_first
from cpro.core.permissions import Permission
from cpro.core.web.checklist import Asked, ChecklistItem, Figures
from cpro.establishments import queries
from cpro.establishments.gate import missing_particulars

#: Number of weeks that the chart of activity shows.
_WEEKS = 5
_SIGNED_IN = "account:signed-in"


def count_for_school() -> Asked:
    """Return the counts that the lines and the chart need."""
    weeks = list(pairwise(_bounds()))
    return {
        "pictures": Counted(queries.select_pictures()),
        **{f"sign-ins {n}": Counted(select_between(*week, action=_SIGNED_IN)) for n, week in enumerate(weeks)},
        **{f"other actions {n}": Counted(select_between(*week, but=_SIGNED_IN)) for n, week in enumerate(weeks)},
    }


def list_school_items(figures: Figures) -> list[ChecklistItem]:
    """Return the lines of the particulars, the transfers and the pictures."""
    school = queries.get_current_establishment()
    missing = missing_particulars(school)
    missing_text = join_french([each.label for each in missing])
    settings = url_for("settings.establishment")
    items = [
        ChecklistItem(
            "Renseigner l’établissement",
            "Le nom, l’adresse électronique et le code UAI sont connus."
            if not missing
            else f"Manque : {missing_text}. Sans quoi ni import, ni création d’utilisateurs, ni export du passeport.",
            done=not missing,
            link_url=f"{settings}#{missing[0].field}" if missing else settings,
            link_label="Compléter" if missing else "Voir",
            figure=f"{3 - len(missing)}/3",
            act=Permission.ESTABLISHMENT_EDIT,
        ),
        ChecklistItem(
            "Activer les transferts",
            "Les données des élèves peuvent les suivre d’un établissement à l’autre."
            if school.transfers_enabled
            else "Tant qu’ils sont désactivés, un élève qui change d’établissement perd le fil de son parcours.",
            done=school.transfers_enabled,
            link_url=url_for("settings.transfers"),
            link_label="Voir" if school.transfers_enabled else "Activer",
            act=Permission.TRANSFERS_EDIT,
        ),
    ]
    pictures = figures["pictures"]
    items.append(
        ChecklistItem(
            "Déposer le logo et le cachet",
            "Les deux seront imprimés sur les passeports."
            if pictures == 2
            else "Le passeport professionnel s’imprime avec l’un et l’autre.",
            done=pictures == 2,
            link_url=url_for("settings.pictures"),
            link_label="Voir" if pictures == 2 else "Déposer",
            figure=f"{pictures}/2",
            act=Permission.PICTURES_EDIT,
        )
    )
    return items


def render_activity(figures: Figures) -> Chart:
    """Render the chart of the journal's activity over five weeks, Monday to Sunday in the school's time zone."""
    mondays = _bounds()
    first = format_date(mondays[0].date())
    sign_ins = [figures[f"sign-ins {n}"] for n in range(_WEEKS)]
    others = [figures[f"other actions {n}"] for n in range(_WEEKS)]
    counted = (
        f"{plural(sum(sign_ins), 'connexion', 'connexions')} et "
        f"{plural(sum(others), 'autre action', 'autres actions')} inscrites au journal "
    )
    return Chart(
        key="activite",
        title="Activité des cinq dernières semaines",
        summary=f"{upper_first(counted)}depuis le {first}.{_describe_last_week(sign_ins, others)}",
        heading="Semaine du",
        categories=[f"{monday.day:02}/{monday.month:02}" for monday in mondays[:-1]],
        series=[
            Series("Connexions", sign_ins),
            Series("Autres actions", others),
        ],
    )


def _describe_last_week(sign_ins: Sequence[int], others: Sequence[int]) -> str:
    """Return how the last full week compares with the previous one, as a sentence; "" when there is none."""
    before, last = _WEEKS - 3, _WEEKS - 2
    changes = [describe_change(each[last], each[before], "la semaine d’avant") for each in (sign_ins, others)]
    if not all(changes):
        return ""
    return (
        f" La semaine dernière\u202f: {plural(sign_ins[last], 'connexion', 'connexions')}{changes[0]}\u202f; "
        f"{plural(others[last], 'autre action', 'autres actions')}{changes[1]}."
    )


def _bounds() -> list[datetime]:
    """Return the first instant of each week shown, and of the following week."""
    zone = ZoneInfo(queries.get_current_establishment().timezone or DEFAULT_TIMEZONE)
    today = clock.utcnow().astimezone(zone).date()
    mondays = [today - timedelta(days=today.weekday() + 7 * (_WEEKS - 1 - week)) for week in range(_WEEKS + 1)]
    # Midnight is computed for each Monday separately: the clocks may have changed in between.
    return [datetime.combine(monday, time(), zone) for monday in mondays]
