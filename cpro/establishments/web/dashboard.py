"""What the dashboard shows of the school itself: the lines of its particulars, the chart of activity."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import url_for

from cpro.audit.queries import count_by_period
from cpro.core import clock
from cpro.core.charts import Chart, Series
from cpro.core.formatting import DEFAULT_TIMEZONE, format_date, join_french, plural
from cpro.core.permissions import Permission
from cpro.core.web.checklist import ChecklistItem
from cpro.establishments import queries
from cpro.establishments.gate import missing_particulars
from cpro.establishments.models import PictureKind

#: How many weeks the chart of activity shows.
_WEEKS = 5


def list_school_items() -> list[ChecklistItem]:
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
            else f"Manque : {missing_text}. Sans quoi ni création d’utilisateurs, ni export du passeport.",
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
    pictures = [kind for kind in PictureKind if queries.find_picture(kind)]
    items.append(
        ChecklistItem(
            "Déposer le logo et le cachet",
            "Les deux seront imprimés sur les passeports."
            if len(pictures) == 2
            else "Le passeport professionnel s’imprime avec l’un et l’autre.",
            done=len(pictures) == 2,
            link_url=url_for("settings.pictures"),
            link_label="Voir" if len(pictures) == 2 else "Déposer",
            figure=f"{len(pictures)}/2",
            act=Permission.PICTURES_EDIT,
        )
    )
    return items


def draw_activity() -> Chart:
    """Draw what the journal records of the last five weeks, Monday to Sunday on the school's clocks."""
    zone = ZoneInfo(queries.get_current_establishment().timezone or DEFAULT_TIMEZONE)
    today = clock.utcnow().astimezone(zone).date()
    mondays = [today - timedelta(days=today.weekday() + 7 * (_WEEKS - 1 - week)) for week in range(_WEEKS + 1)]
    # Midnight is computed for each Monday apart: clocks may have changed in between.
    bounds = [datetime.combine(monday, time(), zone) for monday in mondays]
    counts = count_by_period(bounds, "account:signed-in")
    sign_ins, others = sum(each[0] for each in counts), sum(each[1] for each in counts)
    return Chart(
        key="activite",
        title="Activité des cinq dernières semaines",
        summary=f"{plural(sign_ins, 'connexion', 'connexions')} et "
        f"{plural(others, 'autre action', 'autres actions')} inscrites au journal depuis le {format_date(mondays[0])}.",
        heading="Semaine du",
        categories=[f"{monday.day:02}/{monday.month:02}" for monday in mondays[:-1]],
        series=[
            Series("Connexions", [each[0] for each in counts]),
            Series("Autres actions", [each[1] for each in counts]),
        ],
    )
