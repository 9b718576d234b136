"""Imports on the dashboard: whether there are pupils, of which year, and whether an analysis is waiting."""

from __future__ import annotations

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import format_count, format_school_year, plural, upper_first
from cpro.core.permissions import Permission, can
from cpro.core.web.checklist import ChecklistItem, Figures
from cpro.core.web.current_user import current_principal
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.imports import queries
from cpro.imports.diff.sources import current_school_year
from cpro.imports.models import ImportRun, RunState


def list_import_items(figures: Figures) -> list[ChecklistItem]:
    """Return the lines about the presence of pupils and a waiting analysis."""
    (pending, last), count = queries.list_latest_runs(), figures["active students"]
    what = "les fichiers de SIECLE" if get_current_establishment().uses_siecle else "les tableaux de nos modèles"
    manages = can(current_principal(), Permission.IMPORTS_MANAGE)
    url = url_for("imports.index") if manages else url_for("historique_imports.index_view")
    link = url, "Gérer les imports" if manages else "Voir l’historique"
    if last is None and count and not manages:  # pupils exist without an import: its history is empty
        link = url_for("eleves.index_view"), "Voir les élèves"
    items = [
        ChecklistItem(
            "Importer les élèves et les personnels" if last or not count else "Avoir des élèves présents",
            f"{upper_first(plural(count, 'élève présent', 'élèves présents'))} dans l’établissement."
            f"{'' if last else ' Aucun n’est venu par un import : celui de l’année reste à faire, s’il y en a un.'}"
            if count
            else f"Aucun élève n’est encore là : déposez {what}.",
            done=bool(count),
            link_url=link[0],
            link_label=link[1],
            figure=format_count(count),
            act=Permission.IMPORTS_MANAGE,
        ),
        *(_new_year(last, url) if count else []),
    ]
    if manages and pending is not None and pending.state is RunState.ANALYSED:
        items.append(
            ChecklistItem(
                "Confirmer l’import déposé",
                "Son analyse est prête. Rien n’est écrit tant que vous ne l’avez pas confirmée.",
                link_url=url_for("imports.show", run_id=pending.id),
                link_label="Lire l’analyse",
            )
        )
    return items


def _new_year(last: ImportRun | None, url: str) -> list[ChecklistItem]:
    """Return the line of an import older than the school year; empty if there was none."""
    current = current_school_year(get_school_today(clock.utcnow()))
    if last is None or last.school_year >= current:
        return []
    return [
        ChecklistItem(
            "Importer les fichiers de la nouvelle année",
            f"Le dernier import est de l’année {format_school_year(last.school_year)} : les élèves et les divisions de "
            f"{format_school_year(current)} ne sont pas là.",
            link_url=url,
            link_label="Gérer les imports",
            figure=format_school_year(last.school_year),
            act=Permission.IMPORTS_MANAGE,
        )
    ]
