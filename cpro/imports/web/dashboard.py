"""Imports on the dashboard: the pupils and the staff of the year, each imported or not, and a waiting analysis."""

from __future__ import annotations

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import format_count, format_school_year, plural, upper_first
from cpro.core.permissions import Permission
from cpro.core.web.checklist import ChecklistItem, Figures
from cpro.core.web.current_user import may
from cpro.establishments.queries import get_current_establishment, get_school_today
from cpro.imports import queries
from cpro.imports.diff.sources import current_school_year
from cpro.imports.models import ImportRun, RunState


def list_import_items(figures: Figures) -> list[ChecklistItem]:
    """Return the lines of the pupils, of the staff and of a waiting analysis."""
    pending, pupils, staff = queries.list_latest_runs()
    manages = may(Permission.IMPORTS_MANAGE)
    items = [_pupils(pupils, figures["active students"]), *_staff(staff, figures["teachers"])]
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


def _pupils(last: ImportRun | None, count: int) -> ChecklistItem:
    """Return the line of the pupils: imported for the year, or entered by hand where none were ever imported."""
    present = f"{upper_first(plural(count, 'élève présent', 'élèves présents'))} dans l’établissement."
    if count and last is None:
        manages = may(Permission.IMPORTS_MANAGE)
        return ChecklistItem(
            "Avoir des élèves présents",
            f"{present} Aucun import d’élèves n’est en vigueur\u202f: celui de l’année reste à faire, s’il y en a un.",
            done=True,
            link_url=_imports_url() if manages else url_for("eleves.index_view"),
            link_label="Gérer les imports" if manages else "Voir les élèves",
            figure=format_count(count),
            act=Permission.IMPORTS_MANAGE,
        )
    return _imported("Importer les élèves", last, present if count else "Aucun élève n’est encore là.", count)


def _staff(last: ImportRun | None, teachers: int) -> list[ChecklistItem]:
    """Return the line of the staff, unless it was never imported and teachers have accounts all the same."""
    if last is None and teachers:
        return []
    return [_imported("Importer les personnels", last, "Aucun enseignant n’a encore de compte." if not last else "")]


def _imported(title: str, last: ImportRun | None, present: str, count: int | None = None) -> ChecklistItem:
    """Return the line of what is imported each year, done once the import of this year is in effect."""
    current, manages = current_school_year(get_school_today(clock.utcnow())), may(Permission.IMPORTS_MANAGE)
    done = last is not None and last.school_year >= current
    what = "les fichiers de SIECLE" if get_current_establishment().uses_siecle else "les tableaux de nos modèles"
    if last is None:
        said = f"Déposez {what}."
    elif done:
        said = f"L’import de l’année {format_school_year(last.school_year)} est en vigueur."
    else:
        said = (
            f"Le dernier import est de l’année {format_school_year(last.school_year)}\u202f: "
            f"celui de {format_school_year(current)} reste à faire."
        )
    return ChecklistItem(
        title,
        f"{present} {said}".strip(),
        done=done,
        link_url=_imports_url(),
        link_label="Gérer les imports" if manages else "Voir l’historique",
        figure=None if count is None else format_count(count),
        act=Permission.IMPORTS_MANAGE,
    )


def _imports_url() -> str:
    return url_for("imports.index" if may(Permission.IMPORTS_MANAGE) else "historique_imports.index_view")
